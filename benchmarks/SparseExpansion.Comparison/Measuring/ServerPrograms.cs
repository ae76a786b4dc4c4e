using SparseExpansion.Comparison.Serving;

namespace SparseExpansion.Comparison.Measuring;

/// <summary>The programs of both sides.</summary>
/// <param name="Ours">Our program, a .dll.</param>
/// <param name="Peer">The peer's program, a .dll.</param>
/// <param name="Engine">What computes on our side; null for the default.</param>
internal sealed record ServerPrograms(string Ours, string Peer, string? Engine)
{
    /// <summary>Name of the one model of a server.</summary>
    public const string Model = "model";

    public ServerProcess StartOurs(string folder) =>
        ServerProcess.Start(Ours, ["serve", $"{Model}={folder}", .. Engine is null ? (string[])[] : ["--engine", Engine]]);

    /// <summary>Starts the peer with a variant of its native library.</summary>
    public ServerProcess StartPeer(string file, string library) =>
        ServerProcess.Start(Peer, ["serve", $"{Model}={file}", "--library", library]);
}
