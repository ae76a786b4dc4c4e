using SparseExpansion.Execution;
using SparseExpansion.Execution.LowBit;
using SparseExpansion.Execution.LowBit.Tokens;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Linears;

/// <summary>
/// The input of linears, and what several linears of it share: routes, one for each router, and the
/// tokens in eight bits. Used by one thread at a time.
/// </summary>
/// <param name="threads">Threads to multiply with.</param>
/// <param name="activations">Form of the tokens that meet weights in codes.</param>
internal sealed unsafe class TokenBlock(int threads, ActivationPrecision activations) : IDisposable
{
    private readonly List<TokenRoute> _routes = [];
    private readonly RoundedTokens _rounded = new();
    private int[] _order = [];
    private int _routed;
    private bool _isRounded;

    /// <summary>[count, features] float32.</summary>
    public float* Data { get; private set; }

    /// <summary>Numbers from one token to the next.</summary>
    public nint Stride { get; private set; }

    /// <summary>Number of tokens.</summary>
    public int Count { get; private set; }

    /// <summary>Threads to multiply with.</summary>
    public int Threads => threads;

    /// <summary>The tokens for the kernels.</summary>
    public MatrixView View => new((nint)Data, Stride, ElementType.Float32);

    /// <summary>Sets the tokens; what was derived from those before is forgotten, even if the address is the same.</summary>
    public void Set(float* data, nint stride, int count)
    {
        Data = data;
        (Stride, Count) = (stride, count);
        _routed = 0;
        _isRounded = false;
    }

    /// <summary>True if weights in codes are multiplied with <see cref="Rounded"/>.</summary>
    public bool UsesCodes => activations == ActivationPrecision.Int8;

    /// <summary>Multiplies codes.</summary>
    public LowBitMultiplication Codes { get; } = new() { Threads = threads };

    /// <summary>0, 1, … for the tokens.</summary>
    public ReadOnlySpan<int> Order
    {
        get
        {
            int have = _order.Length;
            if (have < Count)
            {
                Array.Resize(ref _order, Count);
                for (int i = have; i < Count; i++)
                {
                    _order[i] = i;
                }
            }

            return _order.AsSpan(0, Count);
        }
    }

    /// <summary>The tokens in eight bits, rounded once for all linears.</summary>
    /// <param name="features">Width of a token.</param>
    public RoundedTokens Rounded(int features)
    {
        if (!_isRounded)
        {
            _rounded.Round(View, Count, features);
            _isRounded = true;
        }

        return _rounded;
    }

    /// <summary>The experts of the tokens, found once for each router.</summary>
    public TokenRoute RouteOf(TokenRouter router)
    {
        for (int i = 0; i < _routed; i++)
        {
            if (ReferenceEquals(_routes[i].Router, router))
            {
                return _routes[i];
            }
        }

        if (_routed == _routes.Count)
        {
            _routes.Add(new TokenRoute());
        }

        TokenRoute route = _routes[_routed];
        route.Set(router, Data, Stride, Count, threads);
        _routed++;
        return route;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _routes.ForEach(route => route.Dispose());
        _rounded.Dispose();
        Codes.Dispose();
    }
}
