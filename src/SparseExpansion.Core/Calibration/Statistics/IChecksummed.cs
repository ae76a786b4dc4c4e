namespace SparseExpansion.Calibration.Statistics;

/// <summary>A statistic with a checksum, so that writes to it are noticed.</summary>
internal interface IChecksummed
{
    /// <summary>A number that follows from all values: another one after a change, as good as always.</summary>
    double Checksum();
}
