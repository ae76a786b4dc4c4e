using System.Runtime.Intrinsics.X86;
using SparseExpansion.Comparison.Serving;

namespace SparseExpansion.Comparison.Measuring;

/// <summary>
/// The variants of the peer's native library that the processor can run, each in a process of its own, and the fastest
/// of them for each test: ours are compared with the best of the peer.
/// </summary>
internal sealed class PeerVariants : IDisposable
{
    private const int ProbeRounds = 3;

    /// <summary>Tests that decide; of a longer prompt the same is true as of a short one.</summary>
    private static readonly IReadOnlyList<PeerTest> s_probes = [PeerTest.Speeds[0], PeerTest.Speeds[1]];

    private readonly List<(string Library, ServerProcess Server)> _servers = [];
    private readonly Dictionary<PeerTest, (string Library, ServerProcess Server)> _best = [];

    private PeerVariants()
    {
    }

    /// <summary>Names of the variants, the widest vectors first.</summary>
    public static IReadOnlyList<string> Libraries { get; } =
        Avx512F.IsSupported ? ["avx512", "avx2"] : Avx2.IsSupported ? ["avx2"] : ["default"];

    /// <summary>Description of each variant by itself.</summary>
    public IReadOnlyDictionary<string, string> Systems =>
        _servers.ToDictionary(item => item.Library, item => item.Server.Text(new ServerRequest(ServerVerb.Info)));

    /// <summary>Starts all variants and finds out which is the fastest.</summary>
    /// <param name="programs">The programs.</param>
    /// <param name="file">The peer's model.</param>
    /// <param name="log">Gets a line for each test.</param>
    public static PeerVariants Start(ServerPrograms programs, string file, Action<string> log)
    {
        var variants = new PeerVariants();
        try
        {
            foreach (string library in Libraries)
            {
                variants._servers.Add((library, programs.StartPeer(file, library)));
            }

            foreach (PeerTest test in s_probes)
            {
                variants.Probe(test, log);
            }

            return variants;
        }
        catch
        {
            variants.Dispose();
            throw;
        }
    }

    /// <summary>The fastest variant for a test; for memory that which decodes fastest.</summary>
    public (string Library, ServerProcess Server) Best(PeerTest test) =>
        _best[test.Verb == ServerVerb.Prefill ? s_probes[1] : s_probes[0]];

    public void Dispose() => _servers.ForEach(item => item.Server.Dispose());

    private void Probe(PeerTest test, Action<string> log)
    {
        ServerRequest request = test.Request(ServerPrograms.Model);
        double[][] speeds = [.. _servers.Select(_ => new double[ProbeRounds])];
        for (int round = -1; round < ProbeRounds; round++) // The first one warms up.
        {
            for (int s = 0; s < _servers.Count; s++)
            {
                double speed = _servers[s].Server.Number(request);
                if (round >= 0)
                {
                    speeds[s][round] = speed;
                }
            }
        }

        double[] medians = [.. speeds.Select(Samples.Median)];
        _best[test] = _servers[medians.IndexOf(medians.Max())];
        log($"peer, {test.Name}: " + string.Join(", ", _servers.Zip(
            medians, (item, speed) => FormattableString.Invariant($"{item.Library} {speed:F1} tokens/s"))));
    }
}
