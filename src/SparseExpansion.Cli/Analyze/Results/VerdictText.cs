namespace SparseExpansion.Cli.Analyze.Results;

/// <summary>Verdicts in words.</summary>
internal static class VerdictText
{
    public static string Of(Verdict verdict) => verdict switch
    {
        Verdict.Holds => "holds",
        Verdict.HoldsInPart => "holds in part",
        _ => "does not hold",
    };
}
