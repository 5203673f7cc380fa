// A page -> its islands, each mounted once: <div data-island="NAME" data-props='JSON'> is given to
// the function `mount` of islands/NAME.ts, which is loaded where it is needed only.

export interface Island {
  mount(place: HTMLElement, props: unknown): void;
}

const mounted = new WeakSet<Element>();

export function mountIslands(root: Document | Element): void {
  const places = [...root.querySelectorAll<HTMLElement>("[data-island]")];
  if (root instanceof HTMLElement && root.dataset["island"]) places.push(root);
  for (const place of places) {
    if (mounted.has(place)) continue;
    mounted.add(place);
    void mountOne(place, place.dataset["island"] ?? "");
  }
}

async function mountOne(place: HTMLElement, name: string): Promise<void> {
  try {
    const island = (await import(`./islands/${name}.ts`)) as Island;
    island.mount(place, JSON.parse(place.dataset["props"] ?? "null"));
    place.dataset["mounted"] = "";
  } catch (error) {
    console.error(`island ${name}:`, error);
    place.dataset["failed"] = "";
  }
}
