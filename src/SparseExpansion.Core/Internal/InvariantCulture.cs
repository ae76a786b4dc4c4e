using System.Globalization;

namespace SparseExpansion.Internal;

/// <summary>
/// Numbers are written alike everywhere until it is disposed: the text of a record follows the culture of the thread.
/// </summary>
internal readonly struct InvariantCulture : IDisposable
{
    private readonly CultureInfo _former;

    private InvariantCulture(CultureInfo former) => _former = former;

    public static InvariantCulture Enter()
    {
        var entered = new InvariantCulture(CultureInfo.CurrentCulture);
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        return entered;
    }

    public void Dispose() => CultureInfo.CurrentCulture = _former;
}
