using System.Text;

namespace SparseExpansion.Testing;

/// <summary>
/// A text file of bad inputs and the exact message that each gives: a line with the input, an indented line with the
/// message. With the
/// environment variable <c>SPARSE_EXPANSION_UPDATE_TABLES</c> set, tests write the file anew, to be read and committed.
/// </summary>
public static class MessageTable
{
    private const string Update = "SPARSE_EXPANSION_UPDATE_TABLES";

    /// <summary>All tables of the repository.</summary>
    public static IEnumerable<string> Files =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "bad-inputs.txt", SearchOption.AllDirectories)
        .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    /// <summary>Compares with what the program says today.</summary>
    /// <param name="project">Folder of the test project below <c>tests</c>.</param>
    /// <param name="entries">Inputs and messages, in the order of the file.</param>
    public static void Check(string project, IEnumerable<(string Input, string Message)> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var text = new StringBuilder();
        foreach ((string input, string message) in entries)
        {
            text.Append(input).Append("\n    ").Append(message.ReplaceLineEndings(" ")).Append("\n\n");
        }

        string path = Path.Combine(Repository.Root, "tests", project, "bad-inputs.txt");
        if (Environment.GetEnvironmentVariable(Update) is { Length: > 0 })
        {
            File.WriteAllText(path, text.ToString());
        }

        string[] expected = File.ReadAllLines(path);
        string[] actual = text.ToString().Split('\n')[..^1];
        for (int line = 0; line < Math.Max(expected.Length, actual.Length); line++)
        {
            if (expected.ElementAtOrDefault(line) != actual.ElementAtOrDefault(line))
            {
                throw new InvalidOperationException(
                    $"{path}, line {line + 1}:\nexpected {expected.ElementAtOrDefault(line)}\nactual   {actual.ElementAtOrDefault(line)}\nSet {Update}=1 to write the table anew.");
            }
        }
    }
}
