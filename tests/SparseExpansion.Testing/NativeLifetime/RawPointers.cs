using Mono.Cecil;

namespace SparseExpansion.Testing.NativeLifetime;

/// <summary>Methods that work on the bare memory of tensors.</summary>
public static class RawPointers
{
    private static readonly string[] s_sources =
    [
        "SparseExpansion.Internal.Vectors.RawMemory::Pointer", "SparseExpansion.Internal.Vectors.RawMemory::Address",
        "SparseExpansion.Internal.Torch.TensorMatrix::Of",
    ];
    private static readonly string[] s_keepers =
    [
        "SparseExpansion.Internal.Vectors.RawMemory::KeepAlive", "System.GC::KeepAlive",
        "TorchSharp.torch::NewDisposeScope",
    ];

    /// <summary>
    /// Methods that take the address of a tensor's memory and neither say at the end that the tensor must live nor open
    /// a scope that holds it.
    /// </summary>
    /// <param name="assembly">The assembly's path.</param>
    public static IReadOnlyList<string> Unguarded(string assembly)
    {
        using AssemblyDefinition definition = AssemblyDefinition.ReadAssembly(assembly);
        return [.. Instructions.Methods(definition).Where(method => Calls(method, s_sources) && !Calls(method, s_keepers)).Select(method => $"{method.DeclaringType.FullName}.{method.Name}").Order()];
    }

    private static bool Calls(MethodDefinition method, string[] names) =>
        Instructions.Calls(method)
            .Any(call => names.Contains($"{call.DeclaringType.GetElementType().FullName}::{call.Name}"));
}
