using System.Runtime.CompilerServices;

namespace SparseExpansion.Models.Generation;

/// <summary>Runs a sequence that is slow to compute on the thread pool.</summary>
internal static class BackgroundSequence
{
    /// <summary>
    /// Computes an item when it is waited for, never ahead. Between two items no work runs, so nothing that belongs
    /// to a thread is in use there.
    /// </summary>
    /// <param name="begin">Makes the sequence, on the pool.</param>
    /// <param name="cancellationToken">Handed to <paramref name="begin"/>, together with that of the
    /// enumeration.</param>
    public static async IAsyncEnumerable<T> Run<T>(
        Func<CancellationToken, IEnumerable<T>> begin, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IEnumerator<T>? items = null;
        try
        {
            // The sequence itself looks at the token: a task that was canceled instead would leave its work running.
            while (await Task.Run(() => (items ??= begin(cancellationToken).GetEnumerator()).MoveNext(), CancellationToken.None).ConfigureAwait(false))
            {
                yield return items!.Current;
            }
        }
        finally
        {
            items?.Dispose();
        }
    }
}
