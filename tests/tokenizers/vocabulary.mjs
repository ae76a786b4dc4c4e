// Small vocabularies: cut out of a large one, or trained on the strings.
import { byteCharacters, toByteLevel } from './reference.mjs';

const longest = 128;
const isByteToken = (token) => /^<0x[0-9A-F]{2}>$/.test(token);
const pair = (merge) => (Array.isArray(merge) ? merge : merge.split(' '));
const marked = (text) => text.replaceAll(' ', '\u2581');
const isByteLevel = (tokenizer) => JSON.stringify(tokenizer.pre_tokenizer ?? '').includes('"ByteLevel"');

/** The texts that merges may see, whatever normalizers and pre-tokenizers do. */
function corpus(tokenizer, strings) {
  const forms = strings.flatMap((text) => ['NFC', 'NFD', 'NFKC', 'NFKD'].map((form) => text.normalize(form)).concat(text));
  const lower = forms.concat(forms.map((text) => text.toLowerCase()));
  return [...new Set(lower)].map((text) => (isByteLevel(tokenizer) ? toByteLevel(text) : `\u2581${marked(text)}`));
}

/** Leaves the tokens and merges that can occur in the strings, at their ids. */
export function shrink(tokenizer, strings) {
  const seen = new Set();
  for (const text of corpus(tokenizer, strings)) {
    const characters = [...text];
    for (let start = 0; start < characters.length; start++) {
      let token = '';
      for (const character of characters.slice(start, start + longest)) {
        seen.add(token += character);
      }
    }
  }

  const { vocab, merges, unk_token: unknown } = tokenizer.model;
  const added = new Map(tokenizer.added_tokens.map((token) => [token.content, token.id]));
  const kept = Object.entries(vocab).filter(([token]) =>
    token === unknown || isByteToken(token) || added.has(token) || seen.has(token) || byteCharacters.includes(token));
  const small = Object.fromEntries([...kept, ...added]);
  const has = (token) => Object.hasOwn(small, token);
  return {
    ...tokenizer,
    model: { ...tokenizer.model, vocab: small, merges: merges.map(pair).filter(([left, right]) => seen.has(left + right) && has(left) && has(right)) },
  };
}

/** The most frequent pair, the first of equal ones. */
function best(texts) {
  const counts = new Map();
  for (const text of texts) {
    for (let i = 0; i + 1 < text.length; i++) {
      const key = `${text[i]} ${text[i + 1]}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }

  return [...counts].reduce((most, item) => (item[1] > most[1] ? item : most), ['', 1]);
}

function merge(text, left, right) {
  const result = [];
  for (let i = 0; i < text.length; i++) {
    const together = text[i] === left && text[i + 1] === right;
    result.push(together ? left + right : text[i]);
    i += together ? 1 : 0;
  }

  return result;
}

/** A vocabulary of our own. It is trained on whole strings, so that it has merges across the places where pre-tokenizers must cut. */
export function train(tokenizer, strings, count = 700) {
  const byBytes = isByteLevel(tokenizer);
  const added = tokenizer.added_tokens.map((token) => token.content);
  let texts = corpus(tokenizer, strings).map((text) => [...text]);
  const frequency = new Map();
  texts.flat().forEach((character) => frequency.set(character, (frequency.get(character) ?? 0) + 1));

  // Rare characters are left to the byte tokens.
  const common = [...frequency].filter(([, times]) => times > 20).map(([character]) => character);
  const bytes = Array.from({ length: 256 }, (_, value) => `<0x${value.toString(16).toUpperCase().padStart(2, '0')}>`);
  const tokens = [...added, ...(byBytes ? byteCharacters : [...bytes, ...common])];
  const usable = new Set(tokens);
  const merges = [];
  texts = texts.map((text) => text.filter((character) => usable.has(character)));
  while (merges.length < count) {
    const [key, times] = best(texts);
    if (times < 2) {
      break;
    }

    const [left, right] = key.split(' ');
    merges.push([left, right]);
    tokens.push(left + right);
    texts = texts.map((text) => merge(text, left, right));
  }

  const vocab = Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id]));
  return {
    ...tokenizer,
    added_tokens: tokenizer.added_tokens.map((token) => ({ ...token, id: vocab[token.content] })),
    post_processor: renumber(tokenizer.post_processor, vocab),
    model: { ...tokenizer.model, vocab, merges: merges.filter(([left, right]) => Object.hasOwn(vocab, left + right)) },
  };
}

/** Templates name special tokens by id. */
function renumber(processor, vocab) {
  if (processor?.processors) {
    return { ...processor, processors: processor.processors.map((inner) => renumber(inner, vocab)) };
  }

  return processor?.special_tokens
    ? { ...processor, special_tokens: Object.fromEntries(Object.entries(processor.special_tokens).map(([name, token]) => [name, { ...token, ids: token.tokens.map((content) => vocab[content]) }])) }
    : processor;
}
