using System.Text;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Models;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Options;

/// <summary>Windows of a text in UTF-8, from a file or from standard input.</summary>
internal static class TextInput
{
    /// <summary>Name for standard input.</summary>
    private const string StandardInput = "-";

    /// <param name="path">Path of the text, or - for standard input.</param>
    /// <param name="model">The model, whose tokenizer cuts the text.</param>
    /// <param name="context">Tokens per window.</param>
    /// <param name="input">Opens standard input.</param>
    /// <exception cref="UsageException">There is no such file, or it holds no text or too little of it.</exception>
    /// <exception cref="SparseExpansionException">The tokenizer is damaged.</exception>
    public static TokenWindows Read(string path, ModelSource model, int context, Func<Stream> input)
    {
        if (path != StandardInput && !File.Exists(path))
        {
            throw new UsageException($"--text {path}: there is no such file.");
        }

        try
        {
            using Stream stream = path == StandardInput ? input() : File.OpenRead(path);
            using var reader = new StreamReader(
                stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
            return TokenWindows.FromText(reader.ReadToEnd(), TextTokenizer.Load(model.Folder), context);
        }
        catch (DecoderFallbackException)
        {
            throw new UsageException($"--text {path}: is not UTF-8.");
        }
        catch (CalibrationException error)
        {
            throw new UsageException($"--text {path}: {char.ToLowerInvariant(error.Message[0])}{error.Message[1..]}");
        }
    }
}
