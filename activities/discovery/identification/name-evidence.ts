import type { Evidence, LegacyClass } from '../../../grid/legacy/verdict.ts';

/** What names promise. Evidence of low weight: old shares are full of names that lie. */
const EXTENSIONS: ReadonlyMap<string, LegacyClass> = new Map<string, LegacyClass>(
  (
    [
      ['comtrade', 'cfg dat cff hdr inf'],
      ['grid-model', 'scd icd cid ssd iid raw dss'],
      ['event-log', 'log evt evtx syslog journal soe'],
      ['table', 'csv tsv tab psv'],
      ['document', 'doc docx pdf odt rtf md markdown rst tex html htm xhtml ppt pptx odp epub'],
      ['correspondence', 'eml msg mbox'],
      [
        'source-code',
        'c h cc cpp hpp cs java js mjs cjs ts mts tsx jsx py pl pm rb go rs sh bash bat cmd ps1 vb vbs bas f for f90 pas m lua php css scss r st awk scala kt swift sql',
      ],
      ['configuration', 'ini conf cfg cnf config properties yaml yml toml json plist env xsd'],
      ['spreadsheet', 'xls xlsx xlsm xlsb ods'],
      ['image', 'png jpg jpeg gif bmp tif tiff ico svg webp'],
      ['database', 'db sqlite sqlite3 mdb accdb dbf dump'],
      ['executable', 'exe dll so o class wasm com sys'],
      ['archive', 'zip tar gz tgz bz2 xz 7z rar jar'],
      ['encrypted', 'gpg pgp asc enc'],
    ] as const
  ).flatMap(([name, extensions]) => extensions.split(' ').map((extension) => [extension, name] as const)),
);

/** More than one kind of thing is called so, and no contradiction arises from it. */
const AMBIGUOUS = new Set([
  'cfg',
  'dat',
  'raw',
  'inf',
  'hdr',
  'dump',
  'config',
  'json',
  'sql',
  'asc',
  'm',
  'st',
  'log',
  'r',
  'csv',
  'tsv',
  'tab',
  'html',
  'htm',
  'jar',
  'db',
  'com',
  'o',
  'plist',
  'h',
]);

/** A class that may hold what the name promises: a table with times is telemetry, a packed file is an archive. */
const COMPATIBLE: Readonly<Partial<Record<LegacyClass, readonly LegacyClass[]>>> = {
  table: ['telemetry', 'event-log', 'table'],
  document: ['correspondence', 'document'],
  configuration: ['configuration', 'grid-model', 'table'],
  encrypted: ['encrypted'],
};

function extensionOf(name: string): string | undefined {
  return /\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1]?.toLowerCase();
}

export function nameEvidence(name: string | undefined): readonly Evidence[] {
  const extension = name === undefined ? undefined : extensionOf(name);
  const promised = extension === undefined ? undefined : EXTENSIONS.get(extension);
  if (extension === undefined || promised === undefined) return [];
  return [
    {
      detector: `name-${promised}`,
      found: `its name ends in .${extension}`,
      weight: AMBIGUOUS.has(extension) ? 0.3 : 0.6,
    },
  ];
}

/** What is to say when a name promises something else than was found. */
export function contradiction(name: string | undefined, found: LegacyClass): string | undefined {
  const extension = name === undefined ? undefined : extensionOf(name);
  if (extension === undefined || AMBIGUOUS.has(extension)) return undefined;
  const promised = EXTENSIONS.get(extension);
  if (promised === undefined || promised === found || ['unknown', 'empty', 'corrupt', 'encrypted'].includes(found))
    return undefined;
  return COMPATIBLE[promised]?.includes(found) === true
    ? undefined
    : `its name ends in .${extension}, as of ${promised}, but its content is ${found}`;
}
