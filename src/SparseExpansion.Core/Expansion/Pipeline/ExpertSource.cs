using SparseExpansion.Calibration;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>The calibration data that the experts of a block are made from.</summary>
/// <param name="Inputs">What the block is called with, less what was left out.</param>
/// <param name="DenseInputs">What it is called with in the dense model; the same object where nothing differs.</param>
internal sealed record ExpertSource(IReadOnlyList<CalibrationBatch> Inputs, IReadOnlyList<CalibrationBatch> DenseInputs);
