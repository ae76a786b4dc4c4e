using SparseExpansion.Execution;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Execution.Safetensors;

namespace SparseExpansion.Comparison.Folders;

/// <summary>Writes folders of models with random weights, as a conversion would have left them.</summary>
internal static class ModelFolderWriter
{
    /// <summary>Writes a folder; it must exist.</summary>
    public static void Write(string folder, ModelShape shape, WeightStorage storage)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), shape.ConfigText(storage.Type));
        var random = new DenseTensors(storage.Type, seed: 3);
        DenseMatrix[] matrices = [.. DenseMatrix.Of(shape, linears: storage.IsDense)];
        SafetensorsFileWriter.Write(
            Path.Combine(folder, ExpandedTensorNames.ModelFile),
            [
                .. random.Norms(shape),
                .. storage.DenseBits is null ? matrices.Select(random.Matrix) : [],
            ]);
        if (!storage.IsPlain)
        {
            WriteExpanded(folder, shape, storage, matrices);
        }
    }

    private static void WriteExpanded(
        string folder, ModelShape shape, WeightStorage storage, IReadOnlyList<DenseMatrix> matrices)
    {
        using var pool = new ExpertPool(storage);
        var routers = new List<ExpandedRouterEntry>();
        var layers = new List<ExpandedLayerEntry>();
        var tensors = new List<SafetensorsContent>();
        if (!storage.IsDense)
        {
            AddExperts(shape, storage, pool, routers, layers, tensors);
        }

        DenseCodes? codes = storage.DenseBits is { } bits ? new DenseCodes(bits, seed: 5) : null;
        tensors.AddRange(matrices.SelectMany(matrix => codes?.Of(matrix) ?? []));
        SafetensorsFileWriter.Write(Path.Combine(folder, ExpandedTensorNames.ExpertsFile), tensors);
        new ExpandedIndex
        {
            Format = ExpandedIndex.FormatName,
            Version = ExpandedIndex.CurrentVersion,
            Routers = routers,
            Layers = layers,
            Quantized = codes is null ? null : [.. matrices.Select(codes.Entry)],
        }.Write(folder);
    }

    private static void AddExperts(
        ModelShape shape, WeightStorage storage, ExpertPool pool, List<ExpandedRouterEntry> routers,
        List<ExpandedLayerEntry> layers, List<SafetensorsContent> tensors)
    {
        var random = new DenseTensors(ElementType.Float32, seed: 4);
        for (int block = 0; block < shape.Blocks; block++)
        {
            foreach (IGrouping<int, LinearShape> group in shape.Linears.GroupBy(linear => linear.InputGroup))
            {
                int router = routers.Count;
                routers.Add(new ExpandedRouterEntry("linear", group.First().Columns, storage.Experts, ["weight", "bias"]));
                tensors.Add(random.Matrix(new DenseMatrix($"routers.{router}", storage.Experts, group.First().Columns)));
                tensors.Add(SafetensorsContent.Of<float>(
                    ExpandedTensorNames.Router(router, "bias"), ElementType.Float32, [storage.Experts],
                    new float[storage.Experts]));
                foreach (LinearShape linear in group)
                {
                    string name = $"model.layers.{block}.{linear.Module}";
                    layers.Add(new ExpandedLayerEntry(
                        name, router, storage.Experts, linear.Columns, linear.Rows, false, ExpertTensors.KindOf(storage)));
                    tensors.AddRange(ExpertTensors.Of(name, linear, storage, pool));
                }
            }
        }
    }
}
