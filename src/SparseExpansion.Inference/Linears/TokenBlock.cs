using SparseExpansion.Execution;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Linears;

/// <summary>
/// The input of linears, and what several linears of it share: routes, one for each router. Used by one thread at a time.
/// </summary>
/// <param name="threads">Threads to multiply with.</param>
internal sealed unsafe class TokenBlock(int threads) : IDisposable
{
    private readonly List<TokenRoute> _routes = [];
    private int _routed;

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
    public void Dispose() => _routes.ForEach(route => route.Dispose());
}
