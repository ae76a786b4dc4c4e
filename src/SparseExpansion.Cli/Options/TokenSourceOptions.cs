using System.CommandLine;
using System.Text;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Models;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli;

/// <summary>The tokens that a model is evaluated or calibrated on: a text, or windows of token ids in a file.</summary>
internal sealed class TokenSourceOptions
{
    /// <summary>Name for standard input.</summary>
    private const string StandardInput = "-";

    private readonly Option<string?> _text = new("--text")
    {
        Description = "Text in UTF-8; a line '<|endoftext|>' separates documents. - reads standard input.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _tokens = new("--tokens")
    {
        Description = "Token ids in a safetensors file: a tensor [windows, context] of int64 or int32.",
        HelpName = "FILE:TENSOR",
    };

    private readonly Option<int?> _context = new("--context")
    {
        Description = $"Tokens per window. [default: with --tokens their own width, with --text the model's context, at most {TokenWindows.LongestDefaultContext}]",
        HelpName = "N",
        CustomParser = ValueParsers.OptionalInteger(2),
    };

    private readonly Option<int?> _maxWindows = new("--max-windows")
    {
        Description = "Use the first N windows. [default: all]",
        HelpName = "N",
        CustomParser = ValueParsers.OptionalInteger(1),
    };

    public void AddTo(Command command)
    {
        command.Add(_text);
        command.Add(_tokens);
        command.Add(_context);
        command.Add(_maxWindows);
    }

    /// <summary>
    /// Checks the options without reading files. A validator of the parser would hide its other errors.
    /// </summary>
    /// <exception cref="UsageException">Not exactly one source is given.</exception>
    public void Check(ParseResult parsed)
    {
        bool text = parsed.GetResult(_text) is not null;
        if (text == parsed.GetResult(_tokens) is not null)
        {
            throw new UsageException(
                text ? "give --text or --tokens, not both." : "give --text FILE or --tokens FILE:TENSOR.");
        }
    }

    /// <summary>Reads the tokens and checks them against the model.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="model">The model.</param>
    /// <param name="input">Opens standard input.</param>
    /// <exception cref="UsageException">Files or values do not match the model; the message names the
    /// option.</exception>
    /// <exception cref="SparseExpansionException">A file is damaged.</exception>
    public TokenWindows Read(ParseResult parsed, ModelSource model, Func<Stream> input)
    {
        int? context = parsed.GetValue(_context);
        if (context > model.Config.MaxPositions)
        {
            throw new UsageException(
                $"--context {context}: the model supports at most {model.Config.MaxPositions} tokens.");
        }

        TokenWindows windows = parsed.GetValue(_tokens) is { } tokens
            ? ReadTokens(tokens, model.Config, context)
            : ReadText(
                parsed.GetRequiredValue(_text)!, model, context ?? TokenWindows.DefaultContext(model.Config), input);
        return windows.Take(parsed.GetValue(_maxWindows) ?? windows.Count);
    }

    private static TokenWindows ReadTokens(string value, ModelConfig config, int? context)
    {
        TokenWindows windows = TokenFile.Read(value);
        if (windows.SmallestId < 0 || windows.LargestId >= config.VocabularySize)
        {
            throw new UsageException(
                $"--tokens {value}: contains token ids from {windows.SmallestId} to {windows.LargestId}, but the model's vocabulary has {config.VocabularySize}; were they produced by its tokenizer?");
        }

        if (context > windows.Context)
        {
            throw new UsageException(
                $"--context {context}: the windows of --tokens {value} have {windows.Context} tokens.");
        }

        int width = context ?? windows.Context;
        return width <= config.MaxPositions
            ? TokenFile.Shorten(windows, width)
            : throw new UsageException(
                $"--tokens {value}: its windows of {width} tokens are longer than the model's context of {config.MaxPositions}; shorten them with --context.");
    }

    private static TokenWindows ReadText(string path, ModelSource model, int context, Func<Stream> input)
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
            throw new UsageException($"--text {path}: {PlainMessage.Clause(error)}");
        }
    }
}
