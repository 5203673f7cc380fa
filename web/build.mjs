// Scripts and styles of the pages -> files with the hash of their content in their names, a manifest
// (name -> file), and the licences of what is in them. Called by build.py; the first argument is
// the folder they go to.
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "dist"));

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const result = await build({
  absWorkingDir: here,
  entryPoints: { main: "src/main.ts", style: "src/styles/main.css" },
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022", "chrome123", "firefox120", "safari17.5"],
  minify: true,
  legalComments: "none",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  metafile: true,
  logLevel: "warning",
});

const manifest = {};
const packages = new Set();
for (const [file, made] of Object.entries(result.metafile.outputs)) {
  if (made.entryPoint?.startsWith("src/")) {
    const name = basename(made.entryPoint).replace(/\.ts$/, ".js");
    manifest[name === "main.css" ? "style.css" : name] = relative(out, join(here, file));
  }
  for (const input of Object.keys(made.inputs)) {
    const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) packages.add(found[1]);
  }
}
await writeFile(join(out, "LICENCES.txt"), await listLicences([...packages].sort()));
await writeFile(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);

async function listLicences(names) {
  const parts = ["The scripts and styles beside this file contain these packages.\n"];
  for (const name of names) {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((f) => /^licen[cs]e/i.test(f));
    if (!license || !file) throw new Error(`${name} does not say under which licence it is`);
    const text = await readFile(join(folder, file), "utf8");
    parts.push(`${"=".repeat(78)}\n${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  return parts.join("\n");
}
