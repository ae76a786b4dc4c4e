using System.Text;
using SparseExpansion.Models.Tokenization.Pieces;

namespace SparseExpansion.Models.Tokenization;

/// <summary>Writes small SentencePiece models: unknown, start and end token at 0 to 2, then what is added.</summary>
internal sealed class SentencePieceModel
{
    private readonly List<(string Text, float Score, SentencePieceType Type)> _pieces =
    [
        ("<unk>", 0, SentencePieceType.Unknown), ("<s>", 0, SentencePieceType.Control),
        ("</s>", 0, SentencePieceType.Control),
    ];

    /// <summary>True adds the 256 byte pieces and the flag that uses them.</summary>
    public bool Bytes { get; init; }

    public bool RemoveExtraBlanks { get; init; }

    public bool AddBlank { get; init; } = true;

    public bool BlankAtEnd { get; init; }

    /// <summary>1 is Unigram, 2 BPE.</summary>
    public int Type { get; init; } = 2;

    public string Normalizer { get; init; } = "identity";

    public SentencePieceModel Add(float score, params string[] texts) => Add(SentencePieceType.Normal, score, texts);

    public SentencePieceModel Add(SentencePieceType type, params string[] texts) => Add(type, 0, texts);

    public SentencePieceModel Add(SentencePieceType type, float score, params string[] texts)
    {
        _pieces.AddRange(texts.Select(text => (text, score, type)));
        return this;
    }

    public int Id(string text) => _pieces.FindIndex(piece => piece.Text == text);

    /// <summary>A ModelProto: pieces (1), trainer (2), normalizer (3).</summary>
    public byte[] ToArray()
    {
        var model = new List<byte>();
        IEnumerable<(string, float, SentencePieceType)> bytes = Enumerable.Range(0, Bytes ? 256 : 0)
            .Select(value => ($"<0x{value:X2}>", 0f, SentencePieceType.Byte));
        foreach ((string text, float score, SentencePieceType type) in _pieces.Concat(bytes))
        {
            var piece = new List<byte>();
            Field(piece, 0x0A, Encoding.UTF8.GetBytes(text));
            piece.AddRange([0x15, .. BitConverter.GetBytes(score), 0x18, (byte)type]);
            Field(model, 0x0A, [.. piece]);
        }

        // Fields 3 (type), 24 (blank at the end) and 35 (bytes) of the trainer; an unknown field 99 must be passed over.
        Field(model, 0x12, [0x18, (byte)Type, 0xC0, 1, Flag(BlankAtEnd), 0x98, 2, Flag(Bytes), 0x98, 6, 7]);
        var normalizer = new List<byte>();
        Field(normalizer, 0x0A, Encoding.UTF8.GetBytes(Normalizer));
        normalizer.AddRange([0x18, Flag(AddBlank), 0x20, Flag(RemoveExtraBlanks), 0x28, 1]);
        Field(model, 0x1A, [.. normalizer]);
        return [.. model];
    }

    private static byte Flag(bool value) => value ? (byte)1 : (byte)0;

    private static void Field(List<byte> target, byte tag, byte[] content) =>
        target.AddRange([tag, checked((byte)content.Length), .. content]);
}
