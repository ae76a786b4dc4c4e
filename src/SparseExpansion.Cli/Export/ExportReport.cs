namespace SparseExpansion.Cli.Export;

/// <summary>Result of <c>export</c>; its properties are those of the JSON output.</summary>
/// <param name="Format">Storage of the experts in the output.</param>
/// <param name="BytesBefore">Bytes of the input model's files.</param>
/// <param name="BytesAfter">Bytes of the output files.</param>
/// <param name="OutputFolder">Output folder.</param>
internal sealed record ExportReport(string Format, long BytesBefore, long BytesAfter, string OutputFolder);
