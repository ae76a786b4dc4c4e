namespace SparseExpansion.Calibration.Capture;

/// <summary>Linears that read the same tensor in a forward pass. They share router and input statistics.</summary>
/// <param name="Layers">The linears in the order of their first call.</param>
/// <param name="CallsPerForward">Calls of each in one forward pass of its block.</param>
internal sealed record InputGroup(IReadOnlyList<CalibrationTarget> Layers, int CallsPerForward)
{
    public string Name => string.Join(", ", Layers.Select(layer => layer.Name));
}
