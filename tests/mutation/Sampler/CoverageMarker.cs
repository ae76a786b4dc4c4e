using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace SparseExpansion.MutationSampler;

/// <summary>Makes members say that they ran: a program with such files tells which class of tests reaches which member.</summary>
internal sealed class CoverageMarker
{
    /// <summary>The variable of the environment that names the file for the numbers of the members that ran.</summary>
    public const string Variable = "MUTATION_COVERAGE";

    private readonly List<(string File, int Member)> _members = [];

    /// <summary>The members that can say so, by number.</summary>
    public IReadOnlyList<(string File, int Member)> Members => _members;

    /// <summary>True for what has a body of its own.</summary>
    public static bool IsMember(SyntaxNode node) => BodyOf(node) is not null;

    /// <summary>The file with marks.</summary>
    public SyntaxTree Mark(SyntaxTree tree)
    {
        var changes = new List<TextChange>();
        foreach (SyntaxNode node in tree.GetRoot().DescendantNodes().Where(IsMember))
        {
            if (BodyOf(node) is BlockSyntax block)
            {
                changes.Add(new(new(block.OpenBraceToken.Span.End, 0), $" global::MutationCoverage.Mark({_members.Count});"));
            }
            else
            {
                var expression = (ExpressionSyntax)BodyOf(node)!;
                changes.Add(new(new(expression.SpanStart, 0), $"global::MutationCoverage.Mark({_members.Count}) ? ("));
                changes.Add(new(new(expression.Span.End, 0), ") : throw null!"));
            }

            _members.Add((tree.FilePath, node.SpanStart));
        }

        return tree.WithChangedText(tree.GetText().WithChanges(changes.OrderBy(change => change.Span.Start)));
    }

    /// <summary>The file that collects the marks.</summary>
    public SyntaxTree Collector(CSharpParseOptions options) => CSharpSyntaxTree.ParseText(
        $$"""
        internal static class MutationCoverage
        {
            private static readonly bool[] s_hits = new bool[{{_members.Count}}];

            static MutationCoverage() => System.AppDomain.CurrentDomain.ProcessExit += (_, _) =>
            {
                string? file = System.Environment.GetEnvironmentVariable("{{Variable}}");
                var numbers = new System.Collections.Generic.List<int>();
                for (int i = 0; i < s_hits.Length; i++) { if (s_hits[i]) { numbers.Add(i); } }
                if (file is not null) { System.IO.File.WriteAllText(file, string.Join(' ', numbers)); }
            };

            internal static bool Mark(int member) { s_hits[member] = true; return true; }
        }
        """,
        options);

    /// <summary>A block, or an expression that gives a value; null where there is neither.</summary>
    private static SyntaxNode? BodyOf(SyntaxNode node) => node switch
    {
        MethodDeclarationSyntax { Body: { } body } => body,
        MethodDeclarationSyntax { ExpressionBody.Expression: var value } method => Value(value, method.ReturnType),
        LocalFunctionStatementSyntax { Body: { } body } => body,
        LocalFunctionStatementSyntax { ExpressionBody.Expression: var value } local => Value(value, local.ReturnType),
        BaseMethodDeclarationSyntax { Body: { } body } => body,
        OperatorDeclarationSyntax { ExpressionBody.Expression: var value } => value,
        AccessorDeclarationSyntax { Body: { } body } => body,
        PropertyDeclarationSyntax { ExpressionBody.Expression: var value } property => Value(value, property.Type),
        _ => null,
    };

    private static ExpressionSyntax? Value(ExpressionSyntax value, TypeSyntax type) =>
        type is RefTypeSyntax || type.ToString() == "void" || value is RefExpressionSyntax or ThrowExpressionSyntax ? null : value;
}
