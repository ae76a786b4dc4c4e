using Mono.Cecil;
using Mono.Cecil.Rocks;

namespace SparseExpansion.Testing.NativeLifetime;

/// <summary>
/// Members of TorchSharp that hand libtorch the pointer of a <c>Scalar</c> to which nothing refers any more, found in
/// its instructions. A
/// collection during such a call frees the number while it is read.
/// </summary>
public sealed class TemporaryScalars
{
    private readonly HashSet<string> _makers = [];
    private readonly HashSet<string> _users = [];
    private readonly MethodDefinition[] _methods;

    /// <summary>Reads TorchSharp's assembly.</summary>
    /// <param name="torchSharp">Its path.</param>
    public TemporaryScalars(string torchSharp)
    {
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(torchSharp);
        _methods = [.. Instructions.Methods(assembly)];
        foreach (MethodDefinition method in _methods.Where(ReturnsScalar))
        {
            _makers.Add(Instructions.Name(method));
        }

        foreach (MethodDefinition method in _methods.Where(method => !ReturnsScalar(method) && (LosesScalars(method) || AlwaysThrows(method))))
        {
            _users.Add(Instructions.Name(method));
        }

        Close();
        Symbols = [.. PublicSymbols().Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>
    /// Documentation identifiers of the public members, sorted: conversions, operators, methods, and types whose
    /// overrides are such.
    /// </summary>
    public IReadOnlyList<string> Symbols { get; }

    /// <summary>True for a call that makes a temporary or leads to one.</summary>
    public bool Contains(MethodReference method) =>
        Instructions.Name(method) is var name && (_makers.Contains(name) || _users.Contains(name));

    private static bool ReturnsScalar(MethodReference method) => method.ReturnType.FullName == "TorchSharp.Scalar";

    /// <summary>A scalar that is disposed later lives in a local variable until then; others are lost.</summary>
    private bool LosesScalars(MethodDefinition method) =>
        Instructions.Calls(method).Count(call => _makers.Contains(Instructions.Name(call))) > method.Body.Variables.Count(local => local.VariableType.FullName == "TorchSharp.Scalar");

    /// <summary>The conversion of a scalar to a tensor, which compiles and always throws.</summary>
    private static bool AlwaysThrows(MethodDefinition method) =>
        method is { Name: "op_Implicit", ReturnType.FullName: "TorchSharp.torch/Tensor" }
            && method.Parameters[0].ParameterType.FullName == "TorchSharp.Scalar";

    /// <summary>Adds the callers of such methods, until there are no more.</summary>
    private void Close()
    {
        bool grows = true;
        while (grows)
        {
            grows = false;
            foreach (MethodDefinition method in _methods)
            {
                string name = Instructions.Name(method);
                if (!_makers.Contains(name)
                    && !_users.Contains(name)
                    && Instructions.Calls(method).Any(call => _users.Contains(Instructions.Name(call))))
                {
                    grows = _users.Add(name);
                }
            }
        }
    }

    private IEnumerable<string> PublicSymbols()
    {
        MethodDefinition[] found = [.. _methods.Where(Contains)];
        HashSet<string> types = [.. found.Where(method => method is { IsVirtual: true, IsReuseSlot: true }).Select(method => method.DeclaringType.FullName)];
        IEnumerable<string> factories = _methods
            .Where(method => method.IsStatic && types.Contains(method.ReturnType.FullName) && IsPublic(method))
            .Select(DocCommentId.GetDocCommentId);
        IEnumerable<string> overriders = found
            .Select(method => method.DeclaringType)
            .Where(type => types.Contains(type.FullName) && IsPublic(type))
            .Select(DocCommentId.GetDocCommentId);
        return found.Where(method => IsPublic(method) && !method.IsReuseSlotOverride())
            .Select(DocCommentId.GetDocCommentId).Concat(factories).Concat(overriders);
    }

    private static bool IsPublic(MethodDefinition method) => method.IsPublic && IsPublic(method.DeclaringType);

    private static bool IsPublic(TypeDefinition type) =>
        type.IsNested ? type.IsNestedPublic && IsPublic(type.DeclaringType) : type.IsPublic;
}
