namespace SparseExpansion.Cli;

/// <summary>Says in terms of the tool's options what the library refuses in terms of its own; bad-inputs.txt notices when that words it anew.</summary>
internal static class OptionMessage
{
    private const string NoMatch = "No linear layer matches ";
    private const string Layers = "The model has ";
    private const string NoFit = "The expansion does not fit ";
    private const string TooManyExperts = " experts were asked for, but only ";
    private const string OtherExpansion = "The stored blocks belong to another expansion: ";
    private const string OtherExpansionAdvice = ". Go on with ";

    /// <summary>The message for an error that options cause; null for others.</summary>
    public static string? Of(SparseExpansionException error, Method method) => error.Message switch
    {
        var text when text.StartsWith($"{method.Sparsity} sparsity needs ", StringComparison.Ordinal) =>
            $"--sparsity {method.Sparsity}: {text[$"{method.Sparsity} sparsity ".Length..].TrimEnd('.')}. Take another group, or leave the layer out by --targets.",
        var text when text.StartsWith(NoMatch, StringComparison.Ordinal) =>
            $"--targets {string.Join(' ', method.Targets)}: no linear layer matches; patterns name whole paths, like '*.mlp.*'. {text[Math.Max(0, text.IndexOf(Layers, StringComparison.Ordinal))..]}",
        var text when text.StartsWith(NoFit, StringComparison.Ordinal) => $"--memory-budget: {ErrorText.Continued(text)}",
        var text when text.Contains(TooManyExperts, StringComparison.Ordinal) => $"--experts: {text}",
        _ => null,
    };

    /// <summary>How stored blocks differ from what is asked for, such as <c>sparsity was '0.5', is '0.6'</c>; null if the error is another one.</summary>
    public static string? Differences(SparseExpansionException error) =>
        error.Message.StartsWith(OtherExpansion, StringComparison.Ordinal) && error.Message.LastIndexOf(OtherExpansionAdvice, StringComparison.Ordinal) is > 0 and int end
            ? error.Message[OtherExpansion.Length..end]
            : null;
}
