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
        SafetensorsFileWriter.Write(
            Path.Combine(folder, ExpandedTensorNames.ModelFile),
            new DenseTensors(storage.Type, seed: 3).Of(shape, linears: storage.IsDense));
        if (!storage.IsDense)
        {
            WriteExperts(folder, shape, storage);
        }
    }

    private static void WriteExperts(string folder, ModelShape shape, WeightStorage storage)
    {
        using var pool = new ExpertPool(storage);
        var random = new DenseTensors(ElementType.Float32, seed: 4);
        var routers = new List<ExpandedRouterEntry>();
        var layers = new List<ExpandedLayerEntry>();
        var tensors = new List<SafetensorsContent>();
        for (int block = 0; block < shape.Blocks; block++)
        {
            foreach (IGrouping<int, LinearShape> group in shape.Linears.GroupBy(linear => linear.InputGroup))
            {
                int router = routers.Count;
                routers.Add(new ExpandedRouterEntry("linear", group.First().Columns, storage.Experts, ["weight", "bias"]));
                tensors.Add(random.Matrix(
                    ExpandedTensorNames.Router(router, "weight"), storage.Experts, group.First().Columns));
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

        SafetensorsFileWriter.Write(Path.Combine(folder, ExpandedTensorNames.ExpertsFile), tensors);
        new ExpandedIndex
        {
            Format = ExpandedIndex.FormatName,
            Version = ExpandedIndex.CurrentVersion,
            Routers = routers,
            Layers = layers,
        }.Write(folder);
    }
}
