using System.Text;

namespace SparseExpansion.Testing.Fuzzing;

/// <summary>
/// Changes JSON files by their structure: other types, huge numbers, deep nesting, missing and repeated keys, odd
/// texts; then at times their bytes.
/// </summary>
/// <param name="words">Raw JSON values that mean something to the reader under test.</param>
public sealed class JsonMutator(params string[] words)
{
    private static readonly string[] Common =
    [
        "null", "true", "false", "0", "-1", "1", "2", "3", "7", "127", "2147483647", "2147483648", "4294967297",
        "9223372036854775807", "-9223372036854775808", "18446744073709551616", "1e308", "1e400", "-0.0", "0.5", "1e-9",
        "NaN", "[]", "{}", "[[]]", "[null]", "{\"a\":1}", "\"\"", "\" \"", "\"a\"", "\"\\u0000\"", "\"\\ud800\"",
        "\"\\udc00x\"", "\"\\uf8ff\"", "\"é\u0301\"", "\"😀\"", "\"../x\"", "\"/dev/zero\"",
        "\"" + new string('a', 5_000) + "\"", "[" + string.Join(",", Enumerable.Repeat("1", 70)) + "]",
    ];

    private readonly string[] _words = [.. Common, .. words, .. words];

    /// <summary>A changed copy of a file.</summary>
    public byte[] Mutate(byte[] seed, Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        JsonTree tree = JsonTree.Parse(seed);
        for (int change = random.Next(1, 4); change > 0; change--)
        {
            Change(tree, random);
        }

        var text = new StringBuilder();
        tree.Write(text);
        byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
        return random.Next(5) == 0 ? ByteMutator.Mutate(bytes, random) : bytes;
    }

    private void Change(JsonTree tree, Random random)
    {
        JsonTree[] parents = [.. tree.Parents().Where(parent => parent.Children.Count > 0)];
        if (parents.Length == 0)
        {
            return;
        }

        JsonTree parent = Pick(parents, random);
        List<(string? Key, JsonTree Value)> children = parent.Children;
        int at = random.Next(children.Count);
        (string? key, JsonTree value) = children[at];
        switch (random.Next(9))
        {
            case 0:
                children.RemoveAt(at);
                break;
            case 1:
                children.Insert(random.Next(children.Count + 1), (key, value.Clone()));
                break;
            case 2:
                children[at] =
                    (key is null ? null : Pick(_words.Where(word => word.StartsWith('"')).ToArray(), random), value);
                break;
            case 3:
                children[at] = (key, Nested(random));
                break;
            case 4:
                JsonTree other = Pick(parents, random);
                int there = random.Next(other.Children.Count);
                (JsonTree mine, JsonTree theirs) = (value.Clone(), other.Children[there].Value.Clone());
                children[at] = (key, theirs);
                other.Children[there] = (other.Children[there].Key, mine);
                break;
            case 5 when children.Count < 200:
                children.AddRange(Enumerable.Range(0, random.Next(1, 60)).Select(i => (key is null ? null : $"\"{i}\"", value.Clone())));
                break;
            default:
                children[at] = (key, JsonTree.Raw(Pick(_words, random)));
                break;
        }
    }

    private static JsonTree Nested(Random random)
    {
        int depth = random.Next(1, 3) * random.Next(1, 3) * random.Next(1, 20_000 / 4);
        return JsonTree.Raw(random.Next(2) == 0
            ? new string('[', depth) + new string(']', depth)
            : string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth));
    }

    private static T Pick<T>(T[] items, Random random) => items[random.Next(items.Length)];
}
