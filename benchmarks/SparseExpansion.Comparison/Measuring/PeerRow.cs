namespace SparseExpansion.Comparison.Measuring;

/// <summary>
/// One measured cell: how our model compares with the peer's. Ratios are ours / the peer's: above 1 ours is faster, or
/// takes more memory.
/// </summary>
/// <param name="Ours">Our model.</param>
/// <param name="Peer">Type of the peer's weights.</param>
/// <param name="What">The measure.</param>
/// <param name="Ratio">Median of the ratios within rounds.</param>
/// <param name="Min">Smallest ratio.</param>
/// <param name="Max">Largest ratio.</param>
/// <param name="OursValue">Median of our numbers.</param>
/// <param name="PeerValue">Median of the peer's numbers.</param>
/// <param name="Unit">What they count.</param>
/// <param name="PeerLibrary">The variant of the peer's native library.</param>
internal sealed record PeerRow(
    string Ours, string Peer, string What, double Ratio, double Min, double Max, double OursValue, double PeerValue,
    string Unit, string PeerLibrary)
{
    private const double Megabyte = 1e6;

    /// <summary>The row of some samples.</summary>
    public static PeerRow Of(PeerCase item, PeerTest test, Samples samples, string library)
    {
        bool memory = test == PeerTest.Memory;
        double unit = memory ? Megabyte : 1;
        return new PeerRow(
            item.Name, item.Peer.Name, test.Name, samples.Ratio, samples.MinRatio, samples.MaxRatio,
            samples.Ours / unit, samples.Peer / unit, memory ? "MB" : "tokens/s", library);
    }

    public override string ToString() => FormattableString.Invariant(
        $"{Ours,-11} {Peer,-5} {What,-12} ratio {Ratio,6:F2} ({Min:F2} … {Max:F2})  ours {OursValue,8:F1}  peer {PeerValue,8:F1} {Unit} ({PeerLibrary})");
}
