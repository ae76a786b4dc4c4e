namespace SparseExpansion.Calibration.Statistics;

/// <summary>A statistic of which it can be told whether somebody wrote to it.</summary>
internal interface IChecksummed
{
    /// <summary>A number that follows from all values: another one after a change, as good as always.</summary>
    double Checksum();
}
