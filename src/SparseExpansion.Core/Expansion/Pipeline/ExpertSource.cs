using SparseExpansion.Calibration;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>The calibration data that the experts of a block are made from.</summary>
/// <param name="Inputs">Inputs of the block, without those that were left out.</param>
/// <param name="DenseInputs">Its inputs in the dense model; the same object where nothing differs.</param>
internal sealed record ExpertSource(
    IReadOnlyList<CalibrationBatch> Inputs, IReadOnlyList<CalibrationBatch> DenseInputs);
