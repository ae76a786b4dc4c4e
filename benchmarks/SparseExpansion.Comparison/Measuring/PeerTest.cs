using SparseExpansion.Comparison.Serving;

namespace SparseExpansion.Comparison.Measuring;

/// <summary>One measure of both sides.</summary>
/// <param name="Name">Its name in tables.</param>
/// <param name="Verb">What the servers are asked for.</param>
/// <param name="Tokens">With how many tokens.</param>
internal sealed record PeerTest(string Name, ServerVerb Verb, int Tokens)
{
    /// <summary>Resident memory, which is asked for after the speeds.</summary>
    public static PeerTest Memory { get; } = new("memory", ServerVerb.Memory, 0);

    /// <summary>Tokens per second.</summary>
    public static IReadOnlyList<PeerTest> Speeds { get; } =
    [
        new("decode", ServerVerb.Decode, 32), new("prefill 64", ServerVerb.Prefill, 64),
        new("prefill 512", ServerVerb.Prefill, 512),
    ];

    /// <summary>All of them, in the order of the table.</summary>
    public static IReadOnlyList<PeerTest> All { get; } = [.. Speeds, Memory];

    /// <summary>The request of a model.</summary>
    public ServerRequest Request(string model) => this == Memory ? new ServerRequest(Verb) : new ServerRequest(Verb, model, Tokens);
}
