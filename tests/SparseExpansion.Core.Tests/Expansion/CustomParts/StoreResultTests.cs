using SparseExpansion.Expansion.Checkpoints;

namespace SparseExpansion.Expansion.CustomParts;

/// <summary>Results of a user's own stores are checked, and the error names the class.</summary>
public sealed class StoreResultTests : CustomPartTestBase
{
    [Theory]
    [InlineData("no settings", "The store ScriptedStore holds 1 blocks, but its Settings are null")]
    [InlineData("negative", "The store ScriptedStore says that it holds -1 blocks")]
    [InlineData("null unit", "The store ScriptedStore gave back null for block 0")]
    [InlineData("null tensors", "The store ScriptedStore gave back null for block 0")]
    [InlineData("forgets", "The store ScriptedStore held 0 blocks before it was given one more, and holds 0 now")]
    public void Run_BadStore_NamesTheClass(string fault, string said) =>
        Fails(Builder().ResumeFrom(new ScriptedStore(fault)), said);

    private sealed class ScriptedStore(string fault) : IExpansionStore
    {
        public IReadOnlyDictionary<string, string>? Settings { get; private set; }

        public int BlockCount => fault switch
        {
            "no settings" => 1,
            "negative" => -1,
            _ => Units,
        };

        private int Units { get; set; }

        public void Begin(IReadOnlyDictionary<string, string> settings) => Settings = settings;

        public void Add(StoredBlock block) => Units += fault == "forgets" ? 0 : 1;

        public StoredBlock Read(int block) => fault == "null tensors" ? new StoredBlock("{}", null!, []) : null!;
    }
}
