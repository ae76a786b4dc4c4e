namespace SparseExpansion.Transformers;

/// <summary>What a tokenizer file gives.</summary>
internal interface ITextCodec
{
    /// <summary>The largest id plus one.</summary>
    int VocabularySize { get; }

    /// <summary>Ids put before a text.</summary>
    IReadOnlyList<int> Prefix { get; }

    /// <summary>Ids put behind a text.</summary>
    IReadOnlyList<int> Suffix { get; }

    /// <summary>The id of a token's content, or null.</summary>
    int? FindId(string? content);

    /// <summary>True if a token has this id.</summary>
    bool IsToken(int id);

    /// <summary>Appends the ids of a text.</summary>
    void Encode(string text, List<int> ids);

    /// <summary>The text of ids.</summary>
    string Decode(IEnumerable<int> ids, bool skipSpecialTokens);
}
