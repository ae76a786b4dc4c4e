namespace SparseExpansion.Models.Tokenization.AddedTokens;

/// <summary>
/// The added tokens of a tokenizer, gathered from its own file and those beside it. The first description of a token
/// counts; one that
/// gives it another id, or its id to another token, is an error.
/// </summary>
/// <param name="path">The tokenizer's own file.</param>
/// <param name="vocabulary">Its tokens.</param>
internal sealed class AddedTokenTable(string path, IReadOnlyDictionary<string, int> vocabulary)
{
    private readonly List<AddedToken> _tokens = [];
    private readonly Dictionary<string, (int Id, string File)> _ids = vocabulary.ToDictionary(
        item => item.Key, item => (item.Value, path), StringComparer.Ordinal);
    private readonly Dictionary<int, (string Content, string File)> _contents = vocabulary.ToDictionary(
        item => item.Value, item => (item.Key, path));
    private readonly HashSet<string> _added = new(StringComparer.Ordinal);

    /// <summary>The tokens.</summary>
    public IReadOnlyList<AddedToken> Tokens => _tokens;

    /// <summary>Adds what the tokenizer's own file lists; it may name a token of its vocabulary anew.</summary>
    public void AddOwn(IEnumerable<AddedToken> tokens)
    {
        foreach (AddedToken token in tokens)
        {
            _ids[token.Content] = (token.Id, path);
            _contents[token.Id] = (token.Content, path);
            _added.Add(token.Content);
            _tokens.Add(token);
        }
    }

    /// <summary>
    /// Adds what the files beside it list, and makes special what they give a role and the tokenizer has.
    /// </summary>
    /// <param name="named">The contents of those files.</param>
    /// <param name="raw">True looks for all of them in the text as it is.</param>
    /// <exception cref="CheckpointException">Two files contradict each other.</exception>
    public void AddNamed(SpecialTokens named, bool raw)
    {
        foreach ((AddedToken token, string file) in named.Added)
        {
            Require(token, file);
            _ids[token.Content] = (token.Id, file);
            _contents[token.Id] = (token.Content, file);
            Add(raw ? token with { Normalized = false } : token);
        }

        foreach (AddedToken role in named.Roles)
        {
            if (_ids.TryGetValue(role.Content, out (int Id, string File) known))
            {
                Add(role with { Id = known.Id, Normalized = !raw && role.Normalized });
                MakeSpecial(role.Content);
            }
        }
    }

    /// <summary>Marks a token with a role as special, even where its description says otherwise.</summary>
    private void MakeSpecial(string content)
    {
        int at = _tokens.FindIndex(token => token.Content == content);
        _tokens[at] = _tokens[at] with { Special = true };
    }

    private void Add(AddedToken token)
    {
        if (_added.Add(token.Content))
        {
            _tokens.Add(token);
        }
    }

    private void Require(AddedToken token, string file)
    {
        if (_ids.TryGetValue(token.Content, out (int Id, string File) other) && other.Id != token.Id)
        {
            throw new CheckpointException($"{file}: gives the token '{token.Content}' the id {token.Id}; {other.File} gives it {other.Id}. Keep the files of one tokenizer.");
        }

        if (_contents.TryGetValue(token.Id, out (string Content, string File) owner) && owner.Content != token.Content)
        {
            throw new CheckpointException(
                $"{file}: gives the id {token.Id} to the token '{token.Content}'; {owner.File} gives it to '{owner.Content}'. Keep the files of one tokenizer.");
        }
    }
}
