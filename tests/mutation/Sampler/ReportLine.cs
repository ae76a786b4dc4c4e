using System.Globalization;

namespace SparseExpansion.MutationSampler;

/// <summary>A line of a report.</summary>
/// <param name="Outcome">What became of the mutant.</param>
/// <param name="Mutant">Its place and its change, with a tab between them.</param>
/// <param name="Time">What the test took.</param>
internal sealed record ReportLine(Outcome Outcome, string Mutant, TimeSpan Time)
{
    /// <summary>The folder of the file, from that of the library.</summary>
    public string Folder => Path.GetDirectoryName(Mutant.Split(':')[0])!;

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static ReportLine Parse(string line)
    {
        string[] fields = line.Split('\t');
        return new(Enum.Parse<Outcome>(fields[0]), $"{fields[1]}\t{fields[2]}", TimeSpan.FromSeconds(double.Parse(fields[3].Split(' ')[0], CultureInfo.InvariantCulture)));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Outcome}\t{Mutant}\t{Time.TotalSeconds:F1} s");
}
