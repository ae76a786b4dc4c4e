// The Rust implementation of the Hugging Face tokenizers, by its binding for Node.
import { createRequire } from 'node:module';
import path from 'node:path';

const { Tokenizer } = createRequire(path.join(process.cwd(), 'package.json'))('@anush008/tokenizers');

export const load = (json) => Tokenizer.fromString(JSON.stringify(json));

export async function encode(tokenizer, strings) {
  const result = [];
  for (const text of strings) {
    result.push((await tokenizer.encode(text)).getIds());
  }

  return result;
}

const isPrintable = (value) => (value >= 33 && value <= 126) || (value >= 161 && value <= 172) || value >= 174;
let next = 256;

/** The character of each byte in byte-level vocabularies. */
export const byteCharacters = Array.from({ length: 256 }, (_, value) => String.fromCodePoint(isPrintable(value) ? value : next++));
export const toByteLevel = (text) => [...Buffer.from(text)].map((value) => byteCharacters[value]).join('');
export const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
export const split = (Regex, behavior = 'Isolated', invert = false) => ({ type: 'Split', pattern: { Regex }, behavior, invert });

/** A byte-level tokenizer without merges. */
export const plain = (parts) => ({
  version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null,
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: false,
    vocab: Object.fromEntries(byteCharacters.map((character, value) => [character, value])), merges: [],
  },
  ...parts,
});

/** The pieces that pre-tokenizers make of a text. */
export async function cut(preTokenizers, text) {
  const encoding = await load(plain({ pre_tokenizer: { type: 'Sequence', pretokenizers: [...preTokenizers, byteLevel] } })).encode(text);
  const words = encoding.getWordIds();
  const pieces = [];
  encoding.getIds().forEach((id, index) => (pieces[words[index]] ??= []).push(id));
  return pieces.filter(Boolean).map((bytes) => Buffer.from(bytes).toString('utf8'));
}
