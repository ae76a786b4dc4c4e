using SparseExpansion.Calibration;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Internal;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Serialization.Expanded;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>Puts finished blocks into a store and takes them out again.</summary>
/// <param name="store">The store.</param>
/// <param name="kinds">Kinds of routers that may be stored.</param>
/// <param name="mapped">True: finished experts live in the store's files, not in memory.</param>
internal sealed class ExpansionCheckpoints(IExpansionStore store, RouterKinds kinds, bool mapped)
{
    /// <summary>Number of blocks that need not be expanded.</summary>
    public int Finished => store.BlockCount is >= 0 and var count
        ? count
        : throw new CheckpointException(
            $"The store {store.GetType().Name} says that it holds {store.BlockCount} blocks.");

    /// <summary>Begins anew, or checks that the stored blocks are of this very expansion.</summary>
    /// <param name="resume">True: go on with what the store holds; false: it must hold no finished block.</param>
    /// <param name="describe">Gives all settings that decide the outcome.</param>
    /// <param name="blocks">Number of blocks of the expansion.</param>
    /// <exception cref="SparseExpansionException"> They are not, or there are some and nobody asked to go on.
    /// </exception>
    public void Start(bool resume, Func<Dictionary<string, string>> describe, int blocks)
    {
        if (Finished > 0 && !resume)
        {
            throw new SparseExpansionException(
                $"The store holds {Finished} finished blocks of an expansion: go on with it by ResumeFrom, or give an empty store.");
        }

        Dictionary<string, string> settings = describe();
        if (Finished == 0)
        {
            store.Begin(settings);
            return;
        }

        SettingDifference.RequireNone(
            store.Settings ?? throw new CheckpointException($"The store {store.GetType().Name} holds {Finished} blocks, but its Settings are null: they must be what Begin was given."), settings);
        if (Finished > blocks)
        {
            throw new CheckpointException(
                $"The store holds {Finished} blocks, the expansion has {blocks}; begin anew with an empty store.");
        }
    }

    /// <summary>The mixtures and reports of a finished block.</summary>
    /// <param name="block">Index of the block.</param>
    /// <param name="slots">The block's linears.</param>
    /// <param name="replacements"> Takes the mixtures, not installed; the caller disposes them, after an error too.
    /// </param>
    /// <returns>All else; the caller disposes it.</returns>
    public RestoredBlock Restore(int block, IReadOnlyList<ModuleSlot> slots, List<Replacement> replacements)
    {
        using var noGrad = no_grad();
        StoredBlock stored = ReadBlock(block);
        try
        {
            (BlockDescription description, ExpandedIndex index) = BlockDescription.Parse(stored.Description, block);
            new MixtureBuilder(Reader(block, index, stored)).Build(slots.ToDictionary(slot => slot.Name), replacements);
            return new RestoredBlock(description, stored);
        }
        catch
        {
            stored.Dispose();
            throw;
        }
    }

    /// <summary>Outputs that the last finished block hands on.</summary>
    /// <param name="former">Batches with the masks that go with it.</param>
    public IReadOnlyList<CalibrationBatch> RestoreActivations(IReadOnlyList<CalibrationBatch> former)
    {
        StoredBlock stored = ReadBlock(Finished - 1);
        foreach (Tensor tensor in stored.Tensors.Values)
        {
            tensor.Dispose();
        }

        if (stored.Activations.Count == former.Count)
        {
            return [.. former.Zip(stored.Activations, (batch, activation) => batch.WithInput(activation))];
        }

        using (stored)
        {
            throw new CheckpointException($"The store holds activations of {stored.Activations.Count} batches, the expansion has {former.Count}; begin anew with an empty store.");
        }
    }

    /// <summary>Stores a block.</summary>
    /// <param name="mixtures">Its layers in the order of execution.</param>
    /// <param name="groups">Number of its input groups.</param>
    /// <param name="reports">Reports of the layers.</param>
    /// <param name="parts">Reports of the expansion's parts on the block.</param>
    /// <param name="others">Tensors besides the mixtures; no name may have a dot, as those of the mixtures do.</param>
    /// <param name="handedOn">Inputs of the next block; none if it needs nothing.</param>
    public void Add(
        IReadOnlyList<SparseMixtureLayer> mixtures, int groups, IReadOnlyList<LayerReport> reports,
        Dictionary<string, object> parts,
        IReadOnlyDictionary<string, Tensor> others, IReadOnlyList<CalibrationBatch> handedOn)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using MixtureBundle bundle = MixtureBundle.Of(mixtures, FormatOf);
        var description = new BlockDescription { Index = bundle.Index.ToJson(), Groups = groups, Reports = reports, Parts = parts };
        var tensors = bundle.Tensors.ToDictionary(entry => entry.Key, entry => entry.Value.Parts().Single().cpu());
        foreach ((string name, Tensor tensor) in others)
        {
            tensors.Add(name, tensor.detach().cpu());
        }

        int before = Finished;
        store.Add(new StoredBlock(description.ToJson(), tensors, [.. handedOn.Select(batch => batch.Input)]));
        if (Finished != before + 1)
        {
            throw new CheckpointException($"The store {store.GetType().Name} held {before} blocks before it was given one more, and holds {Finished} now.");
        }

        if (mapped)
        {
            Map(mixtures, bundle.Index);
        }
    }

    /// <summary>
    /// As they are; but dense tensors say nothing of the grids that weights were rounded to, codes do.
    /// </summary>
    private static ExpertFormat FormatOf(SparseMixtureLayer layer) =>
        layer.Experts.GridOf(0) is not null && PackedExperts.Supports(layer.Experts.DType)
            ? ExpertFormat.Packed
            : ExpertFormat.Unchanged;

    /// <summary>
    /// Lets the experts of all finished blocks, which were unpacked for the whole model, lie in the store's files
    /// again.
    /// </summary>
    /// <param name="mixtures">Their layers.</param>
    public void MapAgain(IEnumerable<SparseMixtureLayer> mixtures)
    {
        if (!mapped)
        {
            return;
        }

        using var noGrad = no_grad();
        Dictionary<string, SparseMixtureLayer> layers = mixtures.ToDictionary(layer => layer.Name);
        for (int block = 0; block < Finished; block++)
        {
            using StoredBlock stored = ReadBlock(block);
            (_, ExpandedIndex index) = BlockDescription.Parse(stored.Description, block);
            MixtureReader reader = Reader(block, index, stored);
            foreach (ExpandedLayerEntry entry in index.Layers.Where(entry => entry.Storage is PackedExperts.Kind or PackedExperts.QuantizedKind))
            {
                layers[entry.Name].Exchange(reader.ReadExperts(entry));
            }
        }
    }

    /// <summary>
    /// Lets packed experts lie in the store's files, which the system reads when it needs them and forgets when memory
    /// is short.
    /// </summary>
    private void Map(IReadOnlyList<SparseMixtureLayer> mixtures, ExpandedIndex index)
    {
        using StoredBlock stored = ReadBlock(Finished - 1);
        MixtureReader reader = Reader(Finished - 1, index, stored);
        foreach ((SparseMixtureLayer layer, ExpandedLayerEntry entry) in mixtures.Zip(index.Layers).Where(pair => pair.First.IsPacked))
        {
            layer.Exchange(reader.ReadExperts(entry));
        }
    }

    private StoredBlock ReadBlock(int block) =>
        store.Read(block) is { Description: not null, Tensors: not null, Activations: not null } stored
        ? stored
        : throw new CheckpointException($"The store {store.GetType().Name} gave back null for block {block}, or a block without description, tensors or activations.");

    private MixtureReader Reader(int block, ExpandedIndex index, StoredBlock stored) =>
        new(index, stored.Tensors.Keys, name => mapped ? stored.Tensors[name].alias() : stored.Tensors[name].clone(), kinds, $"stored block {block}");
}
