using System.Diagnostics;
using SparseExpansion.Comparison.Gguf;
using SparseExpansion.Comparison.Serving;
using SparseExpansion.Execution.Memory;

namespace SparseExpansion.Comparison.Measuring;

/// <summary>Measures the cells of <see cref="PeerTable"/>: our models and the peer's in turn, in processes of their own.</summary>
/// <param name="options">What is measured.</param>
/// <param name="programs">The programs of both sides.</param>
/// <param name="log">Gets a line for each result.</param>
internal sealed class PeersRun(PeersOptions options, ServerPrograms programs, Action<string> log)
{
    /// <summary>Slow cells have fewer rounds, so that a run keeps to minutes.</summary>
    private static readonly TimeSpan s_cellTime = TimeSpan.FromSeconds(6);

    private readonly Random _random = new(1);
    private readonly List<PeerRow> _rows = [];
    private readonly List<string> _failures = [];
    private Dictionary<string, string> _systems = [];

    /// <summary>Measures.</summary>
    /// <param name="machine">The machine, for the report.</param>
    public PeerReport Run(string machine)
    {
        long start = Stopwatch.GetTimestamp();
        int threads = Environment.ProcessorCount;
        double bandwidth = ReadRate.Measure(threads) / 1e9;
        log(machine);
        log(FormattableString.Invariant($"{threads} threads read {bandwidth:F1} GB/s"));
        using var store = new ModelStore(options.Folder, ModelShape.TinyLlama);
        foreach (var group in PeerTable.Select(options.Wants).GroupBy(item => item.Case.Peer))
        {
            MeasurePeer(group.Key, [.. group], store);
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new PeerReport(machine, bandwidth, _systems, seconds, _rows, _failures);
    }

    private RoundLimit Rounds => options.Rounds is { } rounds
        ? new RoundLimit(rounds, rounds, TimeSpan.MaxValue)
        : new RoundLimit(PeersOptions.LeastRounds, PeersOptions.MostRounds, s_cellTime);

    private void MeasurePeer(
        GgufType type, IReadOnlyList<(PeerCase Case, IReadOnlyList<PeerTest> Tests)> cases, ModelStore store)
    {
        string file = store.Peer(type);
        using (var peer = PeerVariants.Start(programs, file, text => log($"{type.Name}: {text}")))
        {
            if (_systems.Count == 0)
            {
                _systems = new(peer.Systems);
                _systems.ToList().ForEach(item => log($"{item.Key}: {item.Value}"));
            }

            foreach ((PeerCase item, IReadOnlyList<PeerTest> tests) in cases)
            {
                string folder = store.Ours(item.Storage);
                try
                {
                    MeasureCase(item, tests, peer, folder);
                }
                catch (InvalidOperationException error) // The other cases are worth their minutes.
                {
                    _failures.Add($"{item.Name}: {error.Message}");
                    log($"{item.Name} FAILED: {error.Message}");
                }

                store.Release(folder);
            }
        }

        store.Release(file);
    }

    private void MeasureCase(PeerCase item, IReadOnlyList<PeerTest> tests, PeerVariants peer, string folder)
    {
        using ServerProcess ours = programs.StartOurs(folder);
        foreach (PeerTest test in PeerTest.Speeds) // Unmeasured: code gets compiled, pages read, kernels chosen.
        {
            ours.Number(test.Request(ServerPrograms.Model));
        }

        foreach (PeerTest test in tests)
        {
            (string library, ServerProcess server) = peer.Best(test);
            ServerRequest request = test.Request(ServerPrograms.Model);
            Samples samples = test == PeerTest.Memory
                ? new Samples([(ours.Number(request), server.Number(request))])
                : Samples.Take(Rounds, () => ours.Number(request), () => server.Number(request), _random);
            PeerRow row = PeerRow.Of(item, test, samples, library);
            _rows.Add(row);
            log(row.ToString());
        }
    }
}
