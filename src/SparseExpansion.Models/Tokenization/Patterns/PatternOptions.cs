namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>Options that (?imx) turns on.</summary>
[Flags]
internal enum PatternOptions
{
    None = 0,

    /// <summary>i.</summary>
    IgnoreCase = 1,

    /// <summary>m: the dot matches a newline too.</summary>
    DotAll = 2,

    /// <summary>x: white space and comments count for nothing.</summary>
    Extended = 4,
}
