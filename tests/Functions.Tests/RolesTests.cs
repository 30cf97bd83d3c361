using Scion.Functions;

namespace Scion.Tests;

public sealed class RolesTests
{
    [Fact]
    public void RolesSetting_Empty_IsAllRoles() => Assert.Equal(FunctionRoles.All, FunctionRoles.Named(" "));
}
