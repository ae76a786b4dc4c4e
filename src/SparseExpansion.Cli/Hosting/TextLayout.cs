using System.Text.RegularExpressions;

namespace SparseExpansion.Cli.Hosting;

/// <summary>
/// Lines of text: unchanged in a file, wrapped between words on a terminal, but never between a number and its unit.
/// </summary>
/// <param name="output">Receives the text.</param>
/// <param name="width">Columns of the terminal; null for files.</param>
internal sealed partial class TextLayout(TextWriter output, int? width)
{
    private const string Indent = "  ";

    public TextWriter Output => output;

    public int? Width => width;

    public void WriteLine() => output.WriteLine();

    /// <summary>
    /// Writes a line, wrapped and indented if it does not fit. Text of several lines is written as it is.
    /// </summary>
    public void WriteLine(string text)
    {
        string line = "";
        foreach (string word in width is null || text.Contains('\n', StringComparison.Ordinal) ? [text] : Breaks().Split(text))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                output.WriteLine(line);
                line = Indent + word;
            }
            else
            {
                line = line.Length == 0 ? word : $"{line} {word}";
            }
        }

        output.WriteLine(line);
    }

    [GeneratedRegex(@"(?<!\d) | (?!([KMGT]i)?B\b|s\b|%)")]
    private static partial Regex Breaks();
}
