// Pre-tokenizers and normalizers as published with models whose vocabularies are not at hand.
import { byteLevel, plain, split } from './reference.mjs';

const sequence = (...pretokenizers) => ({ type: 'Sequence', pretokenizers });
const digits = (individual_digits) => ({ type: 'Digits', individual_digits });
const byWords = { ...byteLevel, use_regex: true };
const added = (content, others = {}) => ({ id: 0, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...others });
const blanks = Array.from({ length: 23 }, (_, i) => added(' '.repeat(24 - i), { normalized: true, special: false }));

export const configurations = {
  'gpt-neox': plain({ normalizer: { type: 'NFC' }, pre_tokenizer: byWords, added_tokens: [added('<|endoftext|>'), added('<|padding|>'), ...blanks] }),
  'deepseek-coder': plain({
    normalizer: { type: 'Sequence', normalizers: [] },
    pre_tokenizer: sequence(split('[\r\n]'), split('\\s?\\p{L}+'), split('\\s?\\p{P}+'), split('[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+'), digits(true), byteLevel),
    added_tokens: [added('<\uFF5Cbegin\u2581of\u2581sentence\uFF5C>'), added('<|User|>', { normalized: true, special: false })],
  }),
  'deepseek-llm': plain({
    normalizer: { type: 'Sequence', normalizers: [] },
    pre_tokenizer: sequence(
      split('[\r\n]'), split('\\s?[A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u0370-\u03FF\u0400-\u052F\u{10400}-\u{1044F}\u{104B0}-\u{104D3}\u{1E900}-\u{1E943}]+'),
      split('\\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+'), split('\\s+$'), split('[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+'), digits(true), byteLevel),
  }),
  bloom: plain({ pre_tokenizer: sequence(split(' ?[^(\\s|[.,!?\u2026\u3002\uFF0C\u3001\u0964\u06D4\u060C])]+'), byteLevel) }),
  falcon: plain({ pre_tokenizer: sequence({ type: 'Punctuation', behavior: 'Contiguous' }, byWords, digits(false), split('[0-9][0-9][0-9]')) }),
  starcoder: plain({ pre_tokenizer: sequence(digits(true), byWords), added_tokens: [added('<|endoftext|>'), added('<fim_prefix>')] }),
  'command-r': plain({ normalizer: { type: 'NFC' }, pre_tokenizer: sequence(digits(true), byWords) }),
  'cl100k-possessive': plain({
    pre_tokenizer: sequence(split("'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"), byteLevel),
  }),
  'kimi-k2': plain({
    pre_tokenizer: sequence(split(
      "[\\p{Han}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
      + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
      + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", 'Removed', true), byteLevel),
  }),
  words: plain({ normalizer: { type: 'NFKD' }, pre_tokenizer: sequence({ type: 'Whitespace' }, byteLevel), added_tokens: [added('a', { single_word: true }), added('<s>', { lstrip: true, rstrip: true })] }),
  'lower-blanks': plain({
    normalizer: { type: 'Sequence', normalizers: [{ type: 'NFD' }, { type: 'Lowercase' }, { type: 'Replace', pattern: { Regex: '\\s{2,}' }, content: ' ' }] },
    pre_tokenizer: sequence({ type: 'WhitespaceSplit' }, { type: 'Punctuation', behavior: 'MergedWithPrevious' }, byteLevel),
  }),
};
