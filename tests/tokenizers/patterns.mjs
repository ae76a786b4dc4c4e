// Patterns in which the dialects of regular expressions differ, with the pieces that Oniguruma makes; null where it refuses the pattern.
import { byteLevel, cut, load, plain, split } from './reference.mjs';

const texts = ['aB1 \u00E9\u4E00\u{20000}\u{1F642}\u{10400}\u{10428}_-x\r\ny\n', "s'S \u017F \u00DF ss \u212A\uFB06 12\u00B2\u0663 a\u0301\u24D0!$+\u3002 \n\n", 'abab aab\tab\u3000ab\u0000 {a} a]b ^c'];

/** A pattern alone, or with texts of its own. */
const patterns = [
  // Quantifiers.
  'a++b', 'a*+a', 'a?+b', 'a{1,2}+', 'a{2}+', 'a{1,2}+a', 'a{2}?', 'a{2}?b', 'a{,2}', 'a{2,}', 'a{2,1}', 'a{1,2}?', 'a??b', 'a+?b', 'a*?b', 'a+*', 'a+{2}', '(?:a+)?+b', 'a{', 'a{,}', 'a{x}', '{', '{a}',
  'a{100001}', '*a', '+', '?', '^*a', '(?=a)*a', '\\b+a', ' ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*', '[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+', '\\s++$', '\\p{Nd}{1,3}(?=(?:\\d{3})*\\b)',
  // Groups and options.
  '(?i)a(?-i)b', 'a(?i)b|c', '(a(?i)b|c)d|x', '(?:a|(?i)b)b', '(?i-m:a.)', '(?m:.)+', '(?m).+', '(?mi:B.)', '(?s:.)', '(?x) a b # c', '(?x: a [ b] )', '(?x)a\\ b', '(?<n>a)b', "(?'n'a)b", '(?P<n>a)b', '(?#x)a', 'a(?#x)+b',
  '(?>a+)b', '(?>a+)a', '(?<!a)b', '(?<=a)b', '(?<=a|bb)b', '(?!a)\\w', '(?u:a)', '(a', 'a)', '(?', '(?)', '|a', 'a|', '()', '',
  // Places.
  '^', '$', '^a', 'a$', '\\Aa', 'b\\z', '\\n\\Z', '\\b', '\\B', '\\ba', '\\Ba', "\\'", '\\`a', '\\s+$', '^\\s', '(?=b)', '(?<=b)', 'b*', '\\s*$',
  // Escapes.
  '.', '.+', '\\h', '\\H+', '\\R', '\\R+', '\\N+', '\\O+', '\\w+', '\\W+', '\\d', '\\D+', '\\s', '\\S+', '\\x41', '\\x{61}', '\\x{1F642}', '\\x{20000}+', '\\u0061', '\\u{61}', '\\x4', '\\x', '\\xg', '\\101', '\\0', '\\08', '\\8', '\\1',
  '\\e', '\\t', '\\v', '\\_', '\\q', '\\\u00E9', '\\{', '\\', '\\-', '\\u41',
  // Properties.
  '\\p{L}+', '\\P{L}+', '\\p{^L}+', '\\P{^L}+', '\\p{Letter}', '\\p{letter}', '\\p{lu}', '\\p{Uppercase_Letter}', '\\p{uppercase letter}', '\\p{Uppercase-Letter}', '\\p{ L }', '\\p{LC}', '\\p{M}', '\\p{Mark}', '\\p{N}+', '\\p{P}', '\\p{S}', '\\p{Z}', '\\p{C}', '\\p{L&}', '\\pL', '\\p{Q}',
  '\\p{Han}', '\\p{Hani}+', '\\p{Script=Han}', '\\p{sc=Han}', '\\p{IsHan}', '\\p{Latin}+', '\\p{Greek}', '\\p{Alphabetic}+', '\\p{Emoji}', '\\p{Extended_Pictographic}', '\\p{Punct}', '\\p{alnum}+', '\\p{Any}', '\\p{Assigned}', '\\p{White_Space}', '\\p{word}+', '\\p{L', '\\p{}',
  // Classes.
  '[a-z]+', '[^a-z]+', '[\u{10400}-\u{1044F}]+', '[^\u{10400}-\u{1044F}]+', '[\u0800-\u4E00]+', '[\u4E00-\u{20000}]+', '[\u{1F642}x]', '[^\u{1F642}x]+', '\u{1F642}', '\u{10400}+', '[\\p{L}\\p{M}]+', '[^\\s\\p{L}\\p{N}]+', '[\\P{L}]+', '[^\\P{L}]+', '[\\S]+', '[\\s\\S]+', '[^\\s\\S]', '[\\w]+', '[^\\w]+', '[^\\W\\d]+', '[\\D]+', '[\\h]+',
  '[[:alpha:]]+', '[[:^alpha:]]+', '[[:punct:]]', '[[:space:][:digit:]]+', '[a[:upper:]]+', '[[:foo:]]', '[:alpha:]+', '[a-z&&[^m]]+', '[a-z&&^b]', '[^a-z&&[^b]]+', '[\\p{L}&&[^\\p{Han}]]+', '[\\p{L}&&\\p{Lu}]', '[ab&&bc&&b]', '[&&a]', '[a&&]', '[a&]', '[a&b]+',
  '[]a]+', '[]', '[^]', '[a', '[a-]+', '[-a]+', '[a-\\d]', '[\\d-a]', '[\\d-]+', '[b-a]', '[0-9-a]+', '[a-b-c]+', '[a[b-d]e]+', '[^a[b]]+', '[^[^a]]', '[a^]+', '[\\^a]+', '[\\]a]+', '[\\[a]+', '[\\b]', '[\\n\\t]', '[\\x{61}-\\x{62}]+', '[\\u0061-\\u0062]+', '[\\0-\\x7f]+', '[\\-a]+', '[+--]+', '[!-/:-@\\[-`{-~]+', '[\\/a]', '[.]', '[$^]+', '[(|)]', '[\\]', '[\\p{L}--[a]]', '[a-z-[b]]', '[[a]-b]', '[ -~]+',
  // Case.
  '(?i:s)', '(?i:k)', '(?i:ss)', '(?i:sss)', '(?i:\u00DF)', '(?i:[\u00DF])+', '(?i:[^\u00DF])+', "(?i:'s)", '(?i:\u00E9)', '(?i:\u03C3)', '(?i:st)', '(?i:i)', '(?i:\u0130)', '(?i:\\p{Lu})', '(?i:[\\p{Lu}])', '(?i:[^\\p{Lu}])+', '(?i:[a-b])+', '(?i:[^a])+', '(?i:\u{10400})', '(?i:[\u{10400}-\u{1044F}])', '(?i:ss?)', '(?i:s+)', '(?i:[[a]])', '(?i:[a-z&&[^k]])+', '(?i:\\w)', "(?i:'s|'t|'re|'ve|'m|'ll|'d)", '(?i:\\x61b)', '(?i:[k-s]+)',
];

const behaviors = ['Isolated', 'Removed', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];
const punctuated = 'Hey!!  you, $5 + \u00ABx\u00BB \u2014 \u3002\u3001_a^`c` ~|<=> \u00A9\u00B0 \u00A7 \u203F \u{10100} \u{11141}\u{11141}';
const named = [
  ...behaviors.map((behavior) => [{ type: 'Punctuation', behavior }, punctuated]),
  ...behaviors.flatMap((behavior) => [false, true].flatMap((invert) => [
    [split('-|(?=b)', behavior, invert), 'a--b-c-bb-'],
    [split('-', behavior, invert), '--a--b-c--'],
    [{ type: 'Split', pattern: { String: '--' }, behavior, invert }, '---a----b'],
    [{ type: 'Split', pattern: { String: '' }, behavior, invert }, 'a\u{1F642}b'],
    [{ type: 'Split', pattern: { String: '.*\u{1F642}[' }, behavior, invert }, 'a.*\u{1F642}[.*\u{1F643}[b'],
  ])),
  [{ type: 'Whitespace' }, "Hey friend!  How's 3.5\u00B2 _x_ \u24D0-\u00E9 e\u0301 \u200D \u2160\u00BD a\u0903 \u00A0x \u{1F642} x\u200Dy \u0915\u094D\u0937\u093F \u{10400}\u{10428}"],
  [{ type: 'WhitespaceSplit' }, 'Hey friend!  How\u00A0are\u3000you\u200Bx\u0085y\u001Cz\n '],
  [{ type: 'CharDelimiterSplit', delimiter: '-' }, '-a--b-'],
  [{ type: 'CharDelimiterSplit', delimiter: '\u{1F642}' }, 'a\u{1F642}b\u{1F643}'],
  ...[true, false].map((individual_digits) => [{ type: 'Digits', individual_digits }, 'a12\u00B2\u00BD\u2167\u0663\u{1D7D8}\u{1D7D9}\u4E00\u3007\u3280b']),
  ...['always', 'first', 'never'].flatMap((prepend_scheme) => [true, false].flatMap((apart) => [' Hey  you \u2581x ', 'Hey you'].map((text) =>
    [{ type: 'Metaspace', replacement: '\u2581', prepend_scheme, split: apart }, text]))),
];

/** [pre-tokenizer, text, pieces]. */
export async function cases() {
  const result = [];
  for (const [part, text] of [...patterns.flatMap((pattern) => texts.map((text) => [split(pattern), text])), ...named]) {
    let pieces;
    try {
      pieces = await cut([part], text);
    } catch {
      pieces = null;
    }

    const refused = pieces === null && result.some(([earlier, , before]) => before === null && JSON.stringify(earlier) === JSON.stringify(part));
    if (!refused) {
      result.push([part, text, pieces]);
    }
  }

  return result;
}

const sets = [
  ...'Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cn C L M N P S Z Any Assigned'.split(' ').map((name) => `\\p{${name}}`),
  ...'Han Hiragana Katakana Hangul Latin Greek Cyrillic Arabic Hebrew Thai Devanagari Bopomofo Common Inherited Alphabetic Lowercase Uppercase Ideographic Emoji Emoji_Presentation Extended_Pictographic'
    .split(' ').map((name) => `\\p{${name}}`),
  ...'alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit'.split(' ').flatMap((name) => [`[[:${name}:]]`, `\\p{${name}}`]),
  '\\w', '[\\w]', '\\W', '[^\\w]', '\\d', '\\s', '\\h', '.', '\\O', '(?i:[k])', '(?i:[\\p{Lu}])', '(?i:[^\\p{Lu}])', '(?i:[\\p{L}])', '(?i:\\p{Lu})', '(?i:[\u00DF-\u00FC])', '[\\p{L}&&[^\\p{Han}]]', '[^\u4E00-\u{20000}]',
];

/** How many characters a class matches, and the sum of their numbers. */
export async function counts() {
  const blocks = [];
  for (let first = 0; first < 0x110000; first += 0x4000) {
    const codes = Array.from({ length: 0x4000 }, (_, i) => first + i).filter((code) => code < 0xD800 || code > 0xDFFF);
    blocks.push(String.fromCodePoint(...codes));
  }

  const result = [];
  for (const pattern of sets) {
    const tokenizer = load(plain({ pre_tokenizer: { type: 'Sequence', pretokenizers: [split(pattern, 'Removed', true), byteLevel] } }));
    let [count, sum] = [0, 0];
    for (const block of blocks) {
      for (const character of Buffer.from((await tokenizer.encode(block)).getIds()).toString('utf8')) {
        count++;
        sum += character.codePointAt(0);
      }
    }

    result.push([pattern, count, sum]);
  }

  return result;
}
