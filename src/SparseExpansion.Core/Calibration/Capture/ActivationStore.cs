using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Capture;

/// <summary>
/// The recorded inputs of linears that read the same tensor, in host memory as float32, or on disk where memory is
/// short.
/// </summary>
/// <remarks>
/// Made by <see cref="ActivationRecorder"/>. Needs 4 · tokens · features bytes until it is disposed.
/// </remarks>
public sealed class ActivationStore : ITokenSource, IDisposable
{
    private readonly List<Tensor> _parts = [];
    private readonly List<long> _callTokens = [];
    private readonly string? _scratchFolder;
    private TokenMatrix? _matrix;
    private SpilledTokens? _spilled;
    private bool _disposed;

    /// <param name="scratchFolder">Folder to write the tokens to; null keeps them in memory.</param>
    internal ActivationStore(string? scratchFolder = null) => _scratchFolder = scratchFolder;

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The tokens were freed; so for every other member.</exception>
    public long TokenCount
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _spilled?.TokenCount ?? _parts.Sum(part => part.shape[0]);
        }
    }

    /// <inheritdoc/>
    public int Features => Tokens.Features;

    /// <summary>Tokens of each call that was recorded.</summary>
    internal IReadOnlyList<long> CallTokens => _callTokens;

    private ITokenSource Tokens
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return (ITokenSource?)_spilled ?? (_matrix ??= new TokenMatrix(_parts));
        }
    }

    /// <summary>Copies the tokens of one call, without those that the mask calls padding.</summary>
    /// <param name="input">[.., features].</param>
    /// <param name="mask">bool, the leading dimensions of <paramref name="input"/>; null: all count.</param>
    /// <param name="layer">For messages.</param>
    /// <exception cref="CalibrationException">The mask does not fit, or a value is not finite.</exception>
    internal void Add(Tensor input, Tensor? mask, string layer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var scope = NewDisposeScope();
        Tensor tokens = input.detach().reshape(-1, input.shape[^1]);
        if (mask is not null)
        {
            if (mask.numel() != tokens.shape[0]
                || (mask.dim() == input.dim() - 1 && !mask.shape.AsSpan().SequenceEqual(input.shape.AsSpan(..^1))))
            {
                throw new CalibrationException(
                    $"Layer '{layer}' saw {tokens.shape[0]} tokens [{string.Join(", ", input.shape)}], "
                    + $"but the padding mask is [{string.Join(", ", mask.shape)}].")
                { Layer = layer };
            }

            tokens = tokens.index_select(0, mask.to(tokens.device).flatten().to(ScalarType.Bool).nonzero().flatten());
        }

        if (!TensorChecks.AllFinite(tokens))
        {
            throw new CalibrationException(
                $"The inputs of layer '{layer}' hold NaN or infinite values; check the model and the calibration data.")
            { Layer = layer };
        }

        _callTokens.Add(tokens.shape[0]);
        if (tokens.shape[0] > 0 && _scratchFolder is not null)
        {
            Spill(_scratchFolder, tokens.to(ScalarType.Float32, CPU).contiguous());
        }
        else if (tokens.shape[0] > 0)
        {
            _parts.Add(tokens.to(ScalarType.Float32, CPU, copy: true).DetachFromDisposeScope());
            _matrix = null;
        }
    }

    /// <inheritdoc/>
    public IEnumerable<Tensor> ReadChunks(int chunkTokens, Device device) => Tokens.ReadChunks(chunkTokens, device);

    /// <inheritdoc/>
    public Tensor Gather(ReadOnlySpan<long> indices, Device device) => Tokens.Gather(indices, device);

    /// <summary>Frees the tokens.</summary>
    public void Dispose()
    {
        _disposed = true;
        _matrix = null;
        _parts.ForEach(part => part.Dispose());
        _parts.Clear();
        _spilled?.Dispose();
    }

    private void Spill(string folder, Tensor tokens)
    {
        try
        {
            _spilled ??= new SpilledTokens(folder, checked((int)tokens.shape[1]));
            _spilled.Add(tokens);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CalibrationException(
                $"{folder}: cannot hold the calibration tokens that do not fit into memory: {PlainMessage.Clause(e)}", e);
        }
    }
}
