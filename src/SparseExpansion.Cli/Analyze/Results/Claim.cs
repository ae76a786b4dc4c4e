namespace SparseExpansion.Cli.Analyze.Results;

/// <summary>A statement of the paper, checked against the measurements.</summary>
/// <param name="Name">Short name.</param>
/// <param name="Statement">The claim, and the criterion for agreement.</param>
/// <param name="Verdict">Computed from <paramref name="Evidence"/>.</param>
/// <param name="Summary">The numbers in a sentence.</param>
/// <param name="Evidence">One entry per layer, or one for the model.</param>
internal sealed record Claim(
    string Name, string Statement, Verdict Verdict, string Summary, IReadOnlyList<ClaimEvidence> Evidence)
{
    public static Claim Of(string name, string statement, string summary, IReadOnlyList<ClaimEvidence> evidence)
    {
        int holding = evidence.Count(entry => entry.Holds);
        Verdict verdict = holding == 0 ? Verdict.DoesNotHold : holding == evidence.Count ? Verdict.Holds : Verdict.HoldsInPart;
        return new Claim(name, statement, verdict, summary, evidence);
    }
}
