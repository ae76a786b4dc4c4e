namespace SparseExpansion.Cli;

/// <summary>What <c>export</c> tells; the names of its properties are those of the JSON.</summary>
/// <param name="Format">How experts are stored now.</param>
/// <param name="BytesBefore">Bytes of the files of the model.</param>
/// <param name="BytesAfter">Bytes of the files that were written.</param>
/// <param name="OutputFolder">Where they are.</param>
internal sealed record ExportReport(string Format, long BytesBefore, long BytesAfter, string OutputFolder);
