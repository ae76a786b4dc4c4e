using Google.Protobuf;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Execution.Files;

namespace SparseExpansion.Models.Tokenization.Pieces;

/// <summary>The parts of a SentencePiece model (sentencepiece_model.proto) that encoding needs.</summary>
internal sealed class SentencePieceFile
{
    private const int Bpe = 2;

    private readonly List<SentencePiece> _pieces = [];
    private int _modelType = 1;
    private string _normalizer = "";
    private bool _hasRules;

    private SentencePieceFile()
    {
    }

    /// <summary>The pieces by their ids.</summary>
    public IReadOnlyList<SentencePiece> Pieces => _pieces;

    /// <summary>True spells characters without a piece by bytes.</summary>
    public bool ByteFallback { get; private set; }

    /// <summary>True puts the blank that is added at the end of the text instead of in front.</summary>
    public bool BlankAtEnd { get; private set; }

    /// <summary>True adds a blank to every text.</summary>
    public bool AddBlank { get; private set; } = true;

    /// <summary>True removes blanks at both ends and those after another.</summary>
    public bool RemoveExtraBlanks { get; private set; } = true;

    /// <summary>True writes blanks as U+2581.</summary>
    public bool EscapeBlanks { get; private set; } = true;

    /// <summary>The piece of unknown characters.</summary>
    public int UnknownId { get; private set; }

    /// <summary>The start token, or null.</summary>
    public int? BosId { get; private set; } = 1;

    /// <summary>The end token, or null.</summary>
    public int? EosId { get; private set; } = 2;

    /// <summary>Reads a file.</summary>
    /// <exception cref="CheckpointException">It is damaged, or not a BPE model without normalization.</exception>
    public static SentencePieceFile Read(string path)
    {
        RegularFile.Require(path);
        var file = new SentencePieceFile();
        try
        {
            file.Read(new CodedInputStream(File.ReadAllBytes(path)));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new CheckpointException(
                $"{path}: is not a SentencePiece model that can be read: {PlainMessage.Clause(error)}", error);
        }

        file.Check(path);
        return file;
    }

    private void Read(CodedInputStream input) => ReadFields(input, (field, stream) =>
    {
        switch (field)
        {
            case 1:
                _pieces.Add(ReadPiece(stream));
                break;
            case 2:
                ReadFields(stream, ReadTrainer, nested: true);
                break;
            case 3:
                ReadFields(stream, ReadNormalizer, nested: true);
                break;
            default:
                return false;
        }

        return true;
    });

    private static SentencePiece ReadPiece(CodedInputStream input)
    {
        var piece = new SentencePiece("", 0, SentencePieceType.Normal);
        ReadFields(
            input,
            (field, stream) =>
            {
                piece = field switch
                {
                    1 => piece with { Text = stream.ReadString() },
                    2 => piece with { Score = stream.ReadFloat() },
                    3 => piece with { Type = (SentencePieceType)stream.ReadEnum() },
                    _ => piece,
                };
                return field is 1 or 2 or 3;
            },
            nested: true);
        return piece;
    }

    private bool ReadTrainer(int field, CodedInputStream input)
    {
        switch (field)
        {
            case 3:
                _modelType = input.ReadEnum();
                break;
            case 24:
                BlankAtEnd = input.ReadBool();
                break;
            case 35:
                ByteFallback = input.ReadBool();
                break;
            case 40:
                UnknownId = input.ReadInt32();
                break;
            case 41:
                BosId = Id(input.ReadInt32());
                break;
            case 42:
                EosId = Id(input.ReadInt32());
                break;
            default:
                return false;
        }

        return true;
    }

    private bool ReadNormalizer(int field, CodedInputStream input)
    {
        switch (field)
        {
            case 1:
                _normalizer = input.ReadString();
                break;
            case 2:
                _hasRules = !input.ReadBytes().IsEmpty;
                break;
            case 3:
                AddBlank = input.ReadBool();
                break;
            case 4:
                RemoveExtraBlanks = input.ReadBool();
                break;
            case 5:
                EscapeBlanks = input.ReadBool();
                break;
            default:
                return false;
        }

        return true;
    }

    private static int? Id(int value) => value < 0 ? null : value;

    /// <summary>Hands each field to a reader that answers whether it knew the field.</summary>
    private static void ReadFields(CodedInputStream input, Func<int, CodedInputStream, bool> read, bool nested = false)
    {
        if (nested)
        {
            input = new CodedInputStream(input.ReadBytes().ToByteArray());
        }

        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (!read(WireFormat.GetTagFieldNumber(tag), input))
            {
                input.SkipLastField();
            }
        }
    }

    private void Check(string path)
    {
        if (_pieces.Count == 0)
        {
            throw new CheckpointException(
                $"{path}: is not a SentencePiece model that can be read: it holds no pieces.");
        }

        if (_modelType != Bpe)
        {
            throw new CheckpointException(
                $"{path}: is a SentencePiece model of type {_modelType}; only {Bpe} (BPE) is supported.");
        }

        if (_hasRules || _normalizer is not ("" or "identity"))
        {
            throw new CheckpointException(
                $"{path}: asks for the normalization '{_normalizer}'; only 'identity' is supported.");
        }

        var texts = new HashSet<string>(StringComparer.Ordinal);
        if (_pieces.FirstOrDefault(piece => piece.Text.Length == 0 || !float.IsFinite(piece.Score) || !texts.Add(piece.Text)) is { } wrong)
        {
            throw new CheckpointException(
                $"{path}: holds the piece '{wrong.Text}' without text, without a finite score, or twice.");
        }

        if (new[] { UnknownId, BosId ?? 0, EosId ?? 0 }.Any(id => id < 0 || id >= _pieces.Count))
        {
            throw new CheckpointException(
                $"{path}: names the special ids {UnknownId}, {BosId} and {EosId}, but holds {_pieces.Count} pieces.");
        }
    }
}
