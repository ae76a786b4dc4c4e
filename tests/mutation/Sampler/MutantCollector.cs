using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace SparseExpansion.MutationSampler;

/// <summary>Lists the mutants of a file: operators, borders, conditions, whole numbers, calls left out.</summary>
internal sealed class MutantCollector(SyntaxTree tree) : CSharpSyntaxWalker
{
    private static readonly Dictionary<SyntaxKind, string[]> s_operators = new()
    {
        [SyntaxKind.PlusToken] = ["-"],
        [SyntaxKind.MinusToken] = ["+"],
        [SyntaxKind.AsteriskToken] = ["/"],
        [SyntaxKind.SlashToken] = ["*"],
        [SyntaxKind.PercentToken] = ["*"],
        [SyntaxKind.LessThanLessThanToken] = [">>"],
        [SyntaxKind.GreaterThanGreaterThanToken] = ["<<"],
        [SyntaxKind.AmpersandToken] = ["|"],
        [SyntaxKind.BarToken] = ["&"],
        [SyntaxKind.CaretToken] = ["&"],
        [SyntaxKind.LessThanToken] = ["<=", ">"],
        [SyntaxKind.LessThanEqualsToken] = ["<", ">"],
        [SyntaxKind.GreaterThanToken] = [">=", "<"],
        [SyntaxKind.GreaterThanEqualsToken] = [">", "<"],
        [SyntaxKind.EqualsEqualsToken] = ["!="],
        [SyntaxKind.ExclamationEqualsToken] = ["=="],
        [SyntaxKind.AmpersandAmpersandToken] = ["||"],
        [SyntaxKind.BarBarToken] = ["&&"],
        [SyntaxKind.PlusEqualsToken] = ["-="],
        [SyntaxKind.MinusEqualsToken] = ["+="],
        [SyntaxKind.AsteriskEqualsToken] = ["/="],
        [SyntaxKind.BarEqualsToken] = ["&="],
        [SyntaxKind.AmpersandEqualsToken] = ["|="],
        [SyntaxKind.PlusPlusToken] = ["--"],
        [SyntaxKind.MinusMinusToken] = ["++"],
        [SyntaxKind.TrueKeyword] = ["false"],
        [SyntaxKind.FalseKeyword] = ["true"],
    };

    private readonly List<Mutant> _mutants = [];

    /// <summary>All mutants of a file, in order.</summary>
    public static IReadOnlyList<Mutant> Collect(SyntaxTree tree)
    {
        var collector = new MutantCollector(tree);
        collector.Visit(tree.GetRoot());
        return collector._mutants;
    }

    /// <summary>The start of the member or local function around a node: what coverage is told by.</summary>
    public static int MemberOf(SyntaxNode node) => (node.AncestorsAndSelf().FirstOrDefault(CoverageMarker.IsMember) ?? node.SyntaxTree.GetRoot()).SpanStart;

    /// <inheritdoc/>
    public override void VisitAttributeList(AttributeListSyntax node)
    {
    }

    /// <inheritdoc/>
    public override void VisitBinaryExpression(BinaryExpressionSyntax node)
    {
        bool text = node.DescendantNodes().Any(child => child.IsKind(SyntaxKind.StringLiteralExpression) || child is InterpolatedStringExpressionSyntax);
        if (!text)
        {
            AddOperator(node.OperatorToken);
        }

        base.VisitBinaryExpression(node);
    }

    /// <inheritdoc/>
    public override void VisitAssignmentExpression(AssignmentExpressionSyntax node)
    {
        AddOperator(node.OperatorToken);
        base.VisitAssignmentExpression(node);
    }

    /// <inheritdoc/>
    public override void VisitPrefixUnaryExpression(PrefixUnaryExpressionSyntax node)
    {
        if (node.OperatorToken.Kind() is SyntaxKind.PlusPlusToken or SyntaxKind.MinusMinusToken)
        {
            AddOperator(node.OperatorToken);
        }
        else if (node.OperatorToken.Kind() is SyntaxKind.ExclamationToken or SyntaxKind.MinusToken or SyntaxKind.TildeToken)
        {
            Add(node.OperatorToken.Span, "", node);
        }

        base.VisitPrefixUnaryExpression(node);
    }

    /// <inheritdoc/>
    public override void VisitPostfixUnaryExpression(PostfixUnaryExpressionSyntax node)
    {
        AddOperator(node.OperatorToken);
        base.VisitPostfixUnaryExpression(node);
    }

    /// <inheritdoc/>
    public override void VisitLiteralExpression(LiteralExpressionSyntax node)
    {
        AddOperator(node.Token);
        if (node.Token.Value is int or long or uint or ulong)
        {
            Add(node.Span, string.Create(CultureInfo.InvariantCulture, $"({node.Token.Text} + 1)"), node);
        }
        else if (node.Token.Value is float or double)
        {
            Add(node.Span, $"({node.Token.Text} * 2)", node);
        }
    }

    /// <inheritdoc/>
    public override void VisitIfStatement(IfStatementSyntax node)
    {
        Negate(node.Condition);
        base.VisitIfStatement(node);
    }

    /// <inheritdoc/>
    public override void VisitConditionalExpression(ConditionalExpressionSyntax node)
    {
        Negate(node.Condition);
        base.VisitConditionalExpression(node);
    }

    /// <inheritdoc/>
    public override void VisitInvocationExpression(InvocationExpressionSyntax node)
    {
        if (node.Expression is MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "Math" }, Name: var name })
        {
            string? other = name.Identifier.Text switch { "Min" => "Max", "Max" => "Min", "Ceiling" => "Floor", "Floor" => "Ceiling", _ => null };
            if (other is not null)
            {
                Add(name.Span, other, node);
            }
        }

        base.VisitInvocationExpression(node);
    }

    /// <inheritdoc/>
    public override void VisitExpressionStatement(ExpressionStatementSyntax node)
    {
        if (node.Expression is InvocationExpressionSyntax { Expression: var called } && !called.ToString().EndsWith("KeepAlive", StringComparison.Ordinal))
        {
            Add(node.Span, ";", node);
        }

        base.VisitExpressionStatement(node);
    }

    /// <inheritdoc/>
    public override void VisitInterpolatedStringExpression(InterpolatedStringExpressionSyntax node)
    {
    }

    private void Negate(ExpressionSyntax condition)
    {
        if (!condition.DescendantNodesAndSelf().Any(child => child is SingleVariableDesignationSyntax))
        {
            Add(condition.Span, $"!({condition})", condition);
        }
    }

    private void AddOperator(SyntaxToken token)
    {
        foreach (string other in s_operators.GetValueOrDefault(token.Kind(), []))
        {
            Add(token.Span, other, token.Parent!);
        }
    }

    private void Add(TextSpan span, string replacement, SyntaxNode node) => _mutants.Add(new(tree, span, replacement, MemberOf(node)));
}
