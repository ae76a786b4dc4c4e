namespace SparseExpansion.Models.Tokenization.AddedTokens;

/// <summary>Special tokens according to the files beside a tokenizer.</summary>
internal sealed record SpecialTokens
{
    /// <summary>Content of the start token; null if no file names one.</summary>
    public string? Bos { get; init; }

    /// <summary>Content of the end token; null if no file names one.</summary>
    public string? Eos { get; init; }

    /// <summary>True if a file has the key of the start token, even if null.</summary>
    public bool SpeaksOfBos { get; init; }

    /// <summary>True if a file has the key of the end token, even if null.</summary>
    public bool SpeaksOfEos { get; init; }

    /// <summary>True if texts start with the start token; null where the file does not say.</summary>
    public bool? AddBos { get; init; }

    /// <summary>True if texts end with the end token; null where the file does not say.</summary>
    public bool? AddEos { get; init; }

    /// <summary>The tokenizer class without "Fast" at its end; null where the file does not say.</summary>
    public string? TokenizerClass { get; init; }

    /// <summary>
    /// SentencePiece only: true puts a blank in front of every text between added tokens, false in front of the first
    /// alone.
    /// </summary>
    public bool Legacy { get; init; } = true;

    /// <summary>SentencePiece only: false puts no blank in front.</summary>
    public bool AddPrefixSpace { get; init; } = true;

    /// <summary>Tokens with their ids, and the file that gives each.</summary>
    public IReadOnlyList<(AddedToken Token, string File)> Added { get; init; } = [];

    /// <summary>Tokens named for a role, such as the padding token. They carry no ids.</summary>
    public IReadOnlyList<AddedToken> Roles { get; init; } = [];

    /// <summary>True if tokenizer_config.json or special_tokens_map.json is there.</summary>
    public bool AreNamed { get; init; }

    /// <summary>Start and end of config.json, which count where <see cref="AreNamed"/> is false.</summary>
    public (int? Bos, int? Eos) ModelIds { get; init; }

    /// <summary>The file that says whether start and end tokens are added, for messages.</summary>
    public required string ConfigFile { get; init; }
}
