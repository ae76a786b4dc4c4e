using SparseExpansion.Tensors;
using SparseExpansion.Transformers.Decoder.Positions;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Decoder.Passes;

/// <summary>
/// What the blocks of a model share while it processes tokens: where these stand in their sequences, and tensors that
/// follow from it, each made once.
/// </summary>
/// <param name="cache">Keys and values of the tokens before; null: there are none.</param>
/// <param name="tokens">Number of new tokens in each sequence.</param>
/// <param name="device">Device of the hidden states.</param>
internal sealed class ForwardPass(KeyValueCache? cache, long tokens, Device device) : IDisposable
{
    private readonly Dictionary<(int? Window, long First), Tensor> _masks = [];
    private readonly Dictionary<RotaryTable, RotaryAngles> _angles = [];
    private Tensor? _positions;

    /// <summary>Keys and values of the tokens before; null: there are none.</summary>
    public KeyValueCache? Cache => cache;

    /// <summary>Number of tokens before, padding included.</summary>
    public long Start => cache?.Length ?? 0;

    /// <summary>Number of new tokens.</summary>
    public long Tokens => tokens;

    /// <summary>Length of the sequences, padding and new tokens included.</summary>
    public long Total => Start + tokens;

    /// <summary>
    /// Positions of the new tokens [batch, tokens] where sequences begin with padding, which has position 0; else null:
    /// they follow from <see cref="Start"/>.
    /// </summary>
    public Tensor? Positions => cache?.Padding is { } padding ? _positions ??= MakePositions(padding) : null;

    /// <summary>
    /// Tokens of each sequence, new ones included and padding not, where sequences begin with padding; else null.
    /// </summary>
    public IReadOnlyList<long>? Lengths => cache?.PaddingCounts?.Select(padding => Math.Max(0, Total - padding)).ToArray();

    /// <summary>Tokens of the longest sequence, new ones included and padding not.</summary>
    public long LongestLength => Lengths?.Max() ?? Total;

    /// <summary>Rotary angles of the new tokens.</summary>
    public RotaryAngles Angles(RotaryTable table)
    {
        if (!_angles.TryGetValue(table, out RotaryAngles? angles))
        {
            angles = table.Angles(device, Start, tokens, Positions, Lengths);
            _angles.Add(table, angles);
        }

        return angles;
    }

    /// <summary>Which keys each new token sees.</summary>
    /// <param name="window">Tokens that one sees, itself included; null means all before it.</param>
    /// <param name="first">Place of the first key in its sequence.</param>
    public AttentionMask Mask(int? window, long first)
    {
        int? limit = window < Total - first ? window : null;
        return limit is not null || cache?.Padding is not null ? new AttentionMask(Matrix(limit, first))
            : tokens == 1 ? AttentionMask.All
            : tokens == Total - first ? AttentionMask.Causal
            : new AttentionMask(Matrix(limit, first));
    }

    public void Dispose()
    {
        foreach (Tensor mask in _masks.Values)
        {
            mask.Dispose();
        }

        foreach (RotaryAngles angles in _angles.Values)
        {
            angles.Dispose();
        }

        _positions?.Dispose();
    }

    private Tensor Matrix(int? window, long first)
    {
        if (!_masks.TryGetValue((window, first), out Tensor? mask))
        {
            mask = MakeMask(window, first);
            _masks.Add((window, first), mask);
        }

        return mask;
    }

    /// <summary>
    /// True where query i, the (start + i)-th token, sees key j, the (first + j)-th: [tokens, keys], or with padding
    /// [batch, 1, tokens, keys].
    /// </summary>
    private Tensor MakeMask(int? window, long first)
    {
        using var scope = NewDisposeScope();
        Tensor query = Range(Start, Total).unsqueeze(1);
        Tensor key = Range(first, Total);
        Tensor distance = query - key;
        Tensor mask = distance >= Scalars.Of(0);
        mask = window is null ? mask : mask & (distance < Scalars.Of(window.Value));
        if (cache?.Padding is { } padding)
        {
            // Padding sees itself: without any key its softmax would not be a number, which would spread.
            Tensor real = key.unsqueeze(0) >= padding.unsqueeze(1);
            mask = (mask.unsqueeze(0) & real.unsqueeze(1)) | (distance == Scalars.Of(0)).unsqueeze(0);
            mask = mask.unsqueeze(1);
        }

        return mask.DetachFromDisposeScope();
    }

    private Tensor MakePositions(Tensor padding)
    {
        using var scope = NewDisposeScope();
        return (Range(Start, Total).unsqueeze(0) - padding.unsqueeze(1)).clamp(Scalars.Of(0)).DetachFromDisposeScope();
    }

    private Tensor Range(long from, long to) =>
        arange(Scalars.Of(from), Scalars.Of(to), Scalars.Of(1), dtype: int64, device: device);
}
