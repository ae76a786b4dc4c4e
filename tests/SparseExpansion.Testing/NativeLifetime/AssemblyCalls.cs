using Mono.Cecil;
using Mono.Cecil.Cil;

namespace SparseExpansion.Testing.NativeLifetime;

/// <summary>Calls of an assembly that hand a temporary scalar to libtorch.</summary>
public static class AssemblyCalls
{
    /// <summary>The calls, each with the method it is in and, where symbols are at hand, its file and line.</summary>
    /// <param name="assembly">The assembly's path.</param>
    /// <param name="scalars">The calls to look for.</param>
    /// <param name="allowed">Full names of types that may.</param>
    public static IReadOnlyList<string> Find(string assembly, TemporaryScalars scalars, params string[] allowed)
    {
        bool symbols = File.Exists(Path.ChangeExtension(assembly, ".pdb"));
        using AssemblyDefinition definition =
            AssemblyDefinition.ReadAssembly(assembly, new ReaderParameters { ReadSymbols = symbols });
        return [.. Instructions.Methods(definition)
            .Where(method => !allowed.Contains(method.DeclaringType.FullName))
            .SelectMany(method => method.Body.Instructions
                .Where(instruction => instruction.Operand is MethodReference call && scalars.Contains(call))
                .Select(instruction => $"{Place(method, instruction)}: {((MethodReference)instruction.Operand).FullName}"))];
    }

    private static string Place(MethodDefinition method, Instruction instruction)
    {
        SequencePoint? point = method.DebugInformation.SequencePoints.LastOrDefault(
            point => point.Offset <= instruction.Offset && !point.IsHidden);
        return point is null ? method.FullName : $"{Path.GetFileName(point.Document.Url)}:{point.StartLine}";
    }
}
