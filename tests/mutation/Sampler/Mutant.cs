using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using SparseExpansion.Layers.Surgery;

namespace SparseExpansion.MutationSampler;

/// <summary>One small change of the source.</summary>
/// <param name="Tree">The file.</param>
/// <param name="Span">What is replaced.</param>
/// <param name="Replacement">What stands there instead.</param>
/// <param name="Member">Where the member starts that holds it.</param>
internal sealed record Mutant(SyntaxTree Tree, TextSpan Span, string Replacement, int Member)
{
    private string Change => $"{OneLine(Tree.GetText().ToString(Span))} -> {OneLine(Replacement)}";

    private int Line => Tree.GetText().Lines.GetLinePosition(Span.Start).Line + 1;

    /// <summary>Place and kind of the change, for reports; stable as long as the file does not change.</summary>
    public string Identity(string root) => string.Create(CultureInfo.InvariantCulture, $"{Path.GetRelativePath(root, Tree.FilePath)}:{Line}:{Span.Start}\t{Change}");

    /// <summary>The file with the change.</summary>
    public SyntaxTree Apply() => Tree.WithChangedText(Tree.GetText().WithChanges(new TextChange(Span, Replacement)));

    private static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
