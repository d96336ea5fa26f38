// Checks that every relative link of the documents leads to a file of the project, and every #anchor to a heading of it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const project = resolve(import.meta.dirname, '..');
const documents = [
  'README.md',
  ...['docs', 'bench'].flatMap((folder) => readdirSync(join(project, folder)).map((name) => `${folder}/${name}`)),
].filter((path) => path.endsWith('.md'));

/** Text without what stands in code, where brackets are no links. */
function withoutCode(text) {
  return text.replace(/^(```|~~~)[^\n]*\n[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '');
}

/** Anchors as GitHub makes them from headings; a repeated one gets -1, -2, … */
function anchorsOf(path) {
  const seen = new Map();
  const text = readFileSync(path, 'utf8').replace(/^(```|~~~)[^\n]*\n[\s\S]*?^\1/gm, '');
  return new Set(
    [...text.matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading]) => {
      const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
      const anchor = plain
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
        .replace(/ /g, '-');
      const count = seen.get(anchor) ?? 0;
      seen.set(anchor, count + 1);
      return count === 0 ? anchor : `${anchor}-${count}`;
    }),
  );
}

const broken = [];
let checked = 0;
for (const document of documents) {
  const path = join(project, document);
  for (const [, link] of withoutCode(readFileSync(path, 'utf8')).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z][a-z0-9+.-]*:/i.test(link)) continue;
    checked++;
    const [file, anchor] = link.split('#');
    const target = file === '' ? path : resolve(dirname(path), decodeURIComponent(file));
    if (relative(project, target).startsWith('..')) broken.push(`${document}: ${link} leads out of the project`);
    else if (!existsSync(target)) broken.push(`${document}: ${link} does not exist`);
    else if (anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor)) {
      broken.push(`${document}: ${link}: there is no such heading`);
    }
  }
}
for (const line of broken) console.error(line);
console.log(`${checked} links in ${documents.length} documents, ${broken.length} broken`);
process.exitCode = broken.length === 0 ? 0 : 1;
