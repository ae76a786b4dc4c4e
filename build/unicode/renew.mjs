// Usage: node renew.mjs FOLDER-OF-THE-DATABASE REPOSITORY. See renew.sh.
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const [database, repository] = process.argv.slice(2);
const read = (name) => Object.values(JSON.parse(fs.readFileSync(path.join(database, `${name}.json`), 'utf8')))[0];
const hex = (value) => value.toString(16).toUpperCase();
const number = (text) => parseInt(text, 16);
const lines = [];

/** Entries of one section, wrapped so that changes can be read. */
function section(name, entries) {
  lines.push(`[${name}]`);
  let line = '';
  for (const entry of entries) {
    if (line.length + entry.length > 150) {
      lines.push(line);
      line = '';
    }

    line += (line ? ' ' : '') + entry;
  }

  lines.push(line);
}

/** Code points as ranges "first-last". */
function ranges(codes) {
  const result = [];
  for (const code of [...codes].sort((a, b) => a - b)) {
    const last = result.at(-1);
    if (last && last[1] === code - 1) {
      last[1] = code;
    } else {
      result.push([code, code]);
    }
  }

  return result.map(([first, last]) => (first === last ? hex(first) : `${hex(first)}-${hex(last)}`));
}

/** Code points by the value of a property. */
function byValue(items, key) {
  const result = new Map();
  for (const item of items) {
    const [first, last = first] = item.range.map(number);
    const codes = result.get(item[key]) ?? result.set(item[key], []).get(item[key]);
    for (let code = first; code <= last; code++) {
      codes.push(code);
    }
  }

  return result;
}

const characters = read('UnicodeData');
const combining = new Map();
const canonical = [];
const compatible = [];
const lower = [];
for (const character of characters) {
  const code = number(character.codepoint);
  const combiningClass = Number(character.canonicalCombiningClass);
  if (combiningClass > 0) {
    (combining.get(combiningClass) ?? combining.set(combiningClass, []).get(combiningClass)).push(code);
  }

  const parts = character.characterDecompositionMapping?.split(' ');
  if (parts) {
    const isCompatible = parts[0].startsWith('<');
    const entry = `${hex(code)}:${parts.slice(isCompatible ? 1 : 0).map((part) => hex(number(part))).join('.')}`;
    (isCompatible ? compatible : canonical).push(entry);
  }

  if (character.lower) {
    lower.push(`${hex(code)}:${hex(number(character.lower))}`);
  }
}

const folds = read('CaseFolding').map((item) => ({ ...item, mapping: [item.mapping].flat().join(' ').split(' ').map(number) }));
const fold = (statuses) => folds.filter((item) => statuses.includes(item.status))
  .map((item) => `${hex(number(item.codepoint))}:${item.mapping.map(hex).join('.')}`);
const unconditional = read('SpecialCasing').filter((item) => !item.condition && !item.conditions && item.lowerSequence.length > 1);

lines.push('# Unicode 16.0.0: what normalization, casing and patterns need. Made by build/unicode/renew.sh of the Unicode Character Database,');
lines.push('# © 1991-2024 Unicode, Inc., https://www.unicode.org/terms_of_use.html, Unicode License v3. All numbers are hexadecimal.');
section('combining', [...combining].sort(([a], [b]) => a - b).flatMap(([value, codes]) => ranges(codes).map((range) => `${range}:${hex(value)}`)));
section('canonical', canonical);
section('compatible', compatible);
section('excluded', ranges(read('CompositionExclusions').map(number)));
section('lower', [...lower, ...unconditional.map((item) => `${hex(number(item.codepoint))}:${item.lowerSequence.map((part) => hex(number(part))).join('.')}`)]);
section('fold', fold(['C', 'S']));
section('foldFull', fold(['F']));

const aliases = new Map(read('PropertyValueAliases').filter((item) => item.property === 'sc').map((item) => [item.longName, item]));
for (const [script, codes] of [...byValue(read('Scripts'), 'script')].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const alias = aliases.get(script);
  const names = new Set([script, alias?.shortName, ...(script === 'Inherited' ? ['Qaai'] : []), ...(script === 'Coptic' ? ['Qaac'] : [])].filter(Boolean));
  section(`set ${[...names].join(' ')}`, ranges(codes));
}

const core = byValue(read('DerivedCoreProperties'), 'property');
const plain = byValue(read('PropList'), 'property');
const emoji = byValue(read('emoji/emoji-data'), 'property');
for (const [names, codes] of [
  ['Alphabetic Alpha', core.get('Alphabetic')],
  ['Lowercase Lower', core.get('Lowercase')],
  ['Uppercase Upper', core.get('Uppercase')],
  ['Ideographic Ideo', plain.get('Ideographic')],
  ['Unified_Ideograph UIdeo', plain.get('Unified_Ideograph')],
  ...['Emoji', 'Emoji_Presentation', 'Emoji_Modifier', 'Emoji_Modifier_Base', 'Emoji_Component', 'Extended_Pictographic']
    .map((name) => [name, emoji.get(name)]),
]) {
  section(`set ${names}`, ranges(codes));
}

fs.writeFileSync(path.join(repository, 'src/SparseExpansion.Models/Tokenization/Unicode/unicode.txt'), `${lines.join('\n')}\n`);

// The test's columns: source, NFC, NFD, NFKC, NFKD. Hangul syllables follow from arithmetic and are left out, as are columns equal to the source.
const rows = read('NormalizationTest').filter((row) => row.NFCSequence).map((row) =>
  [row.sourceSequence, row.NFCSequence, row.NFDSequence, row.NFKCSequence, row.NFKDSequence].map((codes) => [codes].flat().join(' ')));
const kept = rows.filter(([source]) => !(source.length === 4 && source >= 'AC00' && source <= 'D7A3'));
const text = kept.map(([source, ...forms]) => [source, ...forms.map((form) => (form === source ? '' : form))].join(';')).join('\n');
const fixture = path.join(repository, 'tests/SparseExpansion.Models.Tests/Fixtures/unicode/normalization-test.txt.gz');
fs.mkdirSync(path.dirname(fixture), { recursive: true });
fs.writeFileSync(fixture, zlib.gzipSync(Buffer.from(text), { level: 9 }));
console.log(`${lines.length} lines of tables, ${kept.length} of ${rows.length} rows of the normalization test`);
